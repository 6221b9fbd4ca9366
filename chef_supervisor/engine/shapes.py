"""Untyped values of reports and manifests, taken as what they should be: a wrong shape reads as empty, never raises."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

_LIMIT: Final = 2**31 - 1
# What is not closed goes on to the end: no start is tried twice, so that hostile text takes linear time.
_JSONC: Final = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*+(?:"|\Z))|//[^\n]*|/\*.*?(?:\*/|\Z)|,(?=(?:\s|//[^\n]*+\n|/\*[^*]*+\*/)*+[}\]])""",
    re.DOTALL,
)


class Unreadable(ValueError):
    """A report or manifest is not what its name says."""


def json_of(content: bytes) -> Any:
    """
    Returns: the value of a JSON text.

    Raises:
        Unreadable: it is none, is nested too deep, or is not UTF-8.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        msg = f"no JSON: {error}"
        raise Unreadable(msg) from error


def jsonc_of(content: bytes) -> Any:
    """
    Returns: the value of a JSON text with comments and trailing commas, as in `tsconfig.json`.

    Raises:
        Unreadable: as for `json_of`.
    """
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    return json_of(_JSONC.sub(lambda match: match["text"] or "", text).encode())


def a_dict(value: object) -> dict[str, Any]:
    """Returns: the value, or an empty dict."""
    return value if isinstance(value, dict) else {}


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """Yields: the dicts of a list; nothing where it is none."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def texts(value: object) -> list[str]:
    """Returns: the texts of a list; empty where it is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def a_text(value: object) -> str:
    """Returns: the value, or the empty text."""
    return value if isinstance(value, str) else ""


def an_int(value: object) -> int:
    """Returns: the number, whole and within 0..2^31-1; 0 where it is none."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{0,9})?", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return int(min(max(0, value), _LIMIT))
