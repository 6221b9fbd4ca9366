"""The contents of what jobs made: kept in a folder or an object store, for as long as their jobs are known."""
