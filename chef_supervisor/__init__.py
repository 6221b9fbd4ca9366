"""chef-supervisor: builds, tests, lints and analyzes AI-made projects in single-use, hardened sandboxes."""

__version__ = "0.1.0"
