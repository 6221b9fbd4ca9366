"""What the readers of all kinds of archives tell of: entries, one after the other; and what is wrong with an archive."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

FILE, FOLDER, LINK, DEVICE = "file", "folder", "link", "device"
_MOST_SHOWN = 120


class BadArchive(Exception):
    """Why the archive is not used: half a sentence that names the entry, and what to do."""


class Entry(NamedTuple):
    """`size` is what the archive claims; `read(n)` gives at most so many bytes of a file, whatever was claimed."""

    kind: str
    name: str
    size: int
    read: Callable[[int], bytes]


def shown(name: str) -> str:
    """Returns: the name in quotes, on one line and not endless."""
    return ascii(name) if len(name) <= _MOST_SHOWN else ascii(name[:_MOST_SHOWN]) + "..."
