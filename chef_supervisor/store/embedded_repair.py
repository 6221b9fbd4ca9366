"""
Cuts what a crash left of a script off the end of the append-only file, before a server loads it.

Redis does not do that right by itself: it leaves out the torn transaction when it loads the file, but keeps its
beginning in there. The end of the next transaction then ends that one too, and at the second start half a script is
back. Anything else that is wrong with a file is left to the server, which refuses it.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

# Under this name a redis-server is the checker; without being told to fix anything it only looks.
_CHECKER: Final = "redis-check-aof"
_FOUND: Final = re.compile(rb"AOF analyzed: (?:filename=(\S+), )?size=(\d+), ok_up_to=(\d+)")
# A command: how many words, then each with its length. Source: redis.io, "Redis serialization protocol specification".
_COUNT: Final = re.compile(rb"\*(\d{1,9})\r\n")
_LENGTH: Final = re.compile(rb"\$(\d{1,10})\r\n")
_PART_OF_EITHER: Final = re.compile(rb"(?:[*$]\d{0,10}\r?)?")


def cut_torn_end(server: Path, data_dir: Path) -> None:
    """Cut off the transaction that the last file ends in, if it does. Takes a while where there is much to read."""
    # From 7.0 on it is several files, and a manifest that lists them.
    for listed in [*data_dir.glob("appendonlydir/*.manifest"), *data_dir.glob("appendonly.aof")]:
        told = subprocess.run([_CHECKER, str(listed)], executable=server, capture_output=True, check=False).stdout  # noqa: S603
        for name, size, good in _FOUND.findall(told):
            file = listed.parent / os.fsdecode(name) if name else listed
            if int(good) < int(size) and _is_torn(file, int(good)):
                os.truncate(file, int(good))


def _is_torn(file: Path, good: int) -> bool:
    """Returns: whether from there on the file is the beginning of something whole."""
    with file.open("rb") as opened:
        opened.seek(good)
        rest = opened.read()
    at = 0
    while (after := _after_command(rest, at)) is not None and after < len(rest):
        at = after
    return after is not None


def _after_command(rest: bytes, at: int) -> int | None:
    """Returns: where the command there ends, the end of `rest` where it is cut off; None where it is no command."""
    count = _COUNT.match(rest, at)
    if count is None:
        return _if_cut_off(rest, at)
    at = count.end()
    for _ in range(int(count[1])):
        length = _LENGTH.match(rest, at)
        if length is None:
            return _if_cut_off(rest, at)
        at = length.end() + int(length[1])
        if not b"\r\n".startswith(rest[at : at + 2]):
            return None
        at += 2
        if at >= len(rest):
            return len(rest)
    return at


def _if_cut_off(rest: bytes, at: int) -> int | None:
    return len(rest) if _PART_OF_EITHER.fullmatch(rest, at) else None
