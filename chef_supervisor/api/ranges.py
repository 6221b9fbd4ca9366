"""Conditional and partial reads: `If-None-Match`, `If-Range` and `Range`. Source: RFC 9110, sections 13 and 14."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers

from chef_supervisor.artifacts.content import ByteRange

# One range of bytes; several at once, and other units, may be ignored.
_RANGE: Final = re.compile(r"bytes=(?P<start>[0-9]{0,18})-(?P<end>[0-9]{0,18})")


class Unsatisfiable(Exception):
    """There is not one byte in the range."""


def is_known(headers: Headers, etag: str) -> bool:
    """Returns: whether the caller has this content already."""
    known = headers.get("if-none-match", "")
    return known.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in known.split(","))


def wanted_range(headers: Headers, etag: str, size_bytes: int) -> ByteRange | None:
    """
    Returns: the range that is asked for; None where all is to be sent.

    Raises:
        Unsatisfiable: it begins behind the end.
    """
    match = _RANGE.fullmatch(headers.get("range", "").strip())
    if match is None or headers.get("if-range", etag) != etag or not (match["start"] or match["end"]):
        return None
    start, end = _bounds(match["start"], match["end"], size_bytes)
    if match["start"] and match["end"] and int(match["end"]) < int(match["start"]):
        # Such a header means nothing, so it is as if it were not there.
        return None
    if start >= end:
        raise Unsatisfiable
    return ByteRange(start=start, end=end)


def _bounds(start: str, end: str, size_bytes: int) -> tuple[int, int]:
    if not start:
        return max(0, size_bytes - int(end)), size_bytes
    return int(start), min(size_bytes, int(end) + 1) if end else size_bytes
