"""
What Convex takes and stores, as its own source has it.

crates/value/src/size.rs, crates/convex/sync_types/src/identifier.rs, crates/common/src/document.rs,
https://docs.convex.dev/production/state/limits.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any, Final

import attrs

MOST_VALUE_LEVELS: Final = 64
MOST_DOCUMENT_LEVELS: Final = 16
MOST_DOCUMENT_BYTES: Final = 1 << 20
MOST_ELEMENTS: Final = 8192
MOST_FIELDS: Final = 1024
MOST_KEY: Final = 1024


class Unfit(ValueError):
    """Convex does not take the value."""


@attrs.frozen
class Int64:
    """A whole number that is no float; in JSON it is written in a way of its own."""

    value: int


def parsed(body: bytes) -> Any:
    """Returns: the JSON, read as strictly as by Convex. Raises Unfit: it is none, or has half a character."""

    def refuse(word: str) -> None:
        raise Unfit(f"{word} is no JSON")

    try:
        value = json.loads(body.decode(), parse_constant=refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Unfit(str(error)) from error
    return value


def imported(value: Any, levels: int = MOST_VALUE_LEVELS) -> Any:
    """Returns: the value that the JSON stands for. Raises Unfit."""
    if isinstance(value, dict | list) and levels < 1:
        raise Unfit("TooNestedError")
    match value:
        case {"$integer": str()} | {"$float": str()} | {"$bytes": str()}:
            return _written_out(value)
        case dict():
            if len(value) > MOST_FIELDS:
                raise Unfit(f"an object of {len(value)} fields")
            return {_key(key): imported(inner, levels - 1) for key, inner in value.items()}
        case list():
            if len(value) > MOST_ELEMENTS:
                raise Unfit(f"an array of {len(value)} elements")
            return [imported(inner, levels - 1) for inner in value]
        case int() if not isinstance(value, bool):
            return float(value)
        case _:
            return value


def exported(value: Any, form: str) -> Any:
    """Returns: the value as JSON, plain or (`convex_encoded_json`) with what JSON does not have."""
    encoded = form == "convex_encoded_json"
    match value:
        case Int64():
            as_bytes = base64.b64encode(struct.pack("<q", value.value)).decode()
            return {"$integer": as_bytes} if encoded else str(value.value)
        case bytes():
            as_text = base64.b64encode(value).decode()
            return {"$bytes": as_text} if encoded else as_text
        case float() if not is_plain(value):
            packed = base64.b64encode(struct.pack("<d", value)).decode()
            return {"$float": packed} if encoded else str(value)
        case dict():
            return {key: exported(inner, form) for key, inner in value.items()}
        case list():
            return [exported(inner, form) for inner in value]
        case _:
            return value


def check_document(document: dict[str, Any]) -> None:
    """Raises Unfit: Convex would not store it."""
    for key in document:
        if key.startswith("_"):
            raise Unfit(f"{key} is a field of the system")
    if levels(document) > MOST_DOCUMENT_LEVELS:
        raise Unfit("the document is too nested")
    if size(document) > MOST_DOCUMENT_BYTES:
        raise Unfit("ValueTooLargeError")


def size(value: Any) -> int:
    """Returns: bytes, as Convex counts them."""
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode()) + 2
        case bytes():
            return len(value) + 2
        case list():
            return 2 + sum(map(size, value))
        case dict():
            return 2 + sum(len(key) + 1 + size(inner) for key, inner in value.items())
        case _:
            return 9


def levels(value: Any) -> int:
    """Returns: how many objects and arrays are inside each other."""
    match value:
        case list():
            return 1 + max(map(levels, value), default=0)
        case dict():
            return 1 + max(map(levels, value.values()), default=0)
        case _:
            return 0


def _written_out(value: dict[str, str]) -> Any:
    [(name, encoded)] = value.items()
    content = base64.b64decode(encoded)
    if name == "$bytes":
        return content
    return Int64(*struct.unpack("<q", content)) if name == "$integer" else struct.unpack("<d", content)[0]


def _key(key: str) -> str:
    if len(key) > MOST_KEY or key.startswith("$") or not all(" " <= letter <= "~" for letter in key):
        raise Unfit(f"the field name {key!r}")
    return key


def is_plain(value: Any) -> bool:
    """Returns: whether plain JSON stands for it, so that nothing is written in Convex's own way."""
    match value:
        case float():
            return math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0)
        case dict():
            return all(map(is_plain, value.values()))
        case list():
            return all(map(is_plain, value))
        case _:
            return not isinstance(value, Int64 | bytes)
