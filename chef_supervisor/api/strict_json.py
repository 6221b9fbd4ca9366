"""
Bytes -> JSON value, refusing what parsers disagree about.

orjson refuses by itself: NaN, control characters, lone surrogates, comments, anything but UTF-8. Refused here:
duplicate keys, depth, and so many values that the parsed tree would dwarf the text.
"""

from __future__ import annotations

import codecs
import itertools
import json
from array import array
from collections.abc import Iterable
from typing import Any, Final

import orjson

from chef_supervisor.domain.errors import BadRequest

MAX_DEPTH: Final = 16
# A value of 2 bytes takes 64 once parsed; 2,000 files are some 8,000 values.
MAX_VALUES: Final = 200_000
# A member has a key and at most one string more.
_MAX_QUOTES: Final = 4 * (MAX_VALUES + 1)

_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
# +1 for an opening bracket, -1 for a closing one.
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


def parse_json(body: bytes) -> object:
    """
    Returns: the value, at most MAX_DEPTH deep and with each key once.

    Raises:
        BadRequest: `invalid_json`, `invalid_encoding`, `json_too_deep`, `json_too_large` or `duplicate_key`.
    """
    # A value takes two bytes at least, so a small body cannot hold too many.
    if len(body) > 2 * MAX_VALUES and _separators(body) > MAX_VALUES:
        _check_skeleton(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _explained(body, error) from error
    if _may_repeat_a_key(body, _colons(value, 1)):
        _find_repeated_key(body)
    return value


def _separators(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _colons(value: Any, depth: int) -> int:
    """Returns: how many colons the text of this value has at least: one a member, and those inside strings."""
    if isinstance(value, str):
        return value.count(":")
    if not isinstance(value, dict | list):
        return 0
    if depth > MAX_DEPTH:
        raise _too_deep()
    items: Iterable[Any] = value
    colons = 0
    if isinstance(value, dict):
        items = value.values()
        colons = len(value) + "".join(value).count(":")
    for item in items:
        # Most are text: without a call for each.
        colons += item.count(":") if type(item) is str else _colons(item, depth + 1)
    return colons


def _may_repeat_a_key(body: bytes, colons: int) -> bool:
    # A repeated key loses a member, and with it a colon of the text. Only an escaped colon could make up for that.
    return body.count(b":") != colons or b"\\u003a" in body or b"\\u003A" in body


def _find_repeated_key(body: bytes) -> None:
    # Slow, and exact. Depth is bounded by now; numbers stay text, because Python limits the digits of an int.
    json.loads(body, object_pairs_hook=_unique, parse_int=str, parse_float=str)


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in members:
        if key in value:
            raise BadRequest("duplicate_key", f"the key {key[:100]!r} is there twice in one object")
        value[key] = item
    return value


def _explained(body: bytes, error: orjson.JSONDecodeError) -> BadRequest:
    """Returns: why orjson refused the body; this may take its time."""
    if body.startswith(codecs.BOM_UTF8) or json.detect_encoding(body) != "utf-8":
        return BadRequest("invalid_encoding", "send UTF-8 without a byte order mark")
    try:
        body.decode()
    except UnicodeDecodeError as undecodable:
        return BadRequest("invalid_encoding", f"byte {undecodable.start} is not UTF-8")
    _check_skeleton(body)
    return BadRequest("invalid_json", str(error))


def _check_skeleton(body: bytes) -> None:
    # What is left without strings: escaped backslashes first, so that an escaped quote is told from a closing one.
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Counted first: to split at millions of quotes takes half a second in which no other thread runs.
    if plain.count(b'"') > _MAX_QUOTES:
        raise _too_large()
    skeleton = b"".join(plain.split(b'"')[::2])
    if _separators(skeleton) > MAX_VALUES:
        raise _too_large()
    if _depth(skeleton) > MAX_DEPTH:
        raise _too_deep()


def _depth(skeleton: bytes) -> int:
    # More than MAX_VALUES do not open, and where more close than open the rest is no JSON anyway.
    steps = array("b", skeleton.translate(_STEPS, _NOT_BRACKETS)[: 2 * MAX_VALUES])
    return max(itertools.accumulate(steps), default=0)


def _too_large() -> BadRequest:
    return BadRequest("json_too_large", f"at most {MAX_VALUES} values")


def _too_deep() -> BadRequest:
    return BadRequest("json_too_deep", f"at most {MAX_DEPTH} levels of nesting")
