"""One actor a file. They never import each other: they meet through the messages of `protocol.py` only."""
