"""
The store of installed dependencies: what is installed once is used by every job that would install the same.

`key.py` says what "the same" is, `cache.py` who installs, who waits, and what goes when room is needed. The bytes are
the sandbox's affair (`domain/shelf.py`).
"""

from __future__ import annotations
