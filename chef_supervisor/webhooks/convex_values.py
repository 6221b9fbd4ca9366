"""
Values as Convex stores them, and what they weigh there.

Its rules, from its own source (crates/value, crates/convex/sync_types/src/identifier.rs, crates/common/src/document.rs)
and https://docs.convex.dev/production/state/limits: keys of ASCII, no `$` or `_` in front; a document of 1 MiB, arrays of
8,192, objects of 1,024 fields, 16 levels; text is UTF-8, which has no unpaired surrogates.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import attrs
import orjson

MOST_ELEMENTS: Final = 8192
MOST_FIELDS: Final = 1024
# Of a document: objects and arrays inside each other, the document itself counted.
MOST_LEVELS: Final = 16

# Stricter than Convex's own rule: these can be the fields of a validator, and of a TypeScript type without quotes.
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
# A float has no more whole numbers in a row; beyond it a number is only nearly what it was.
_WHOLE: Final = 2**53
# A number is stored as a tag and eight bytes.
_NUMBER_BYTES: Final = 9
_LEFT_OUT: Final = object()


def storable(value: Any, levels: int) -> tuple[Any, bool]:
    """
    Returns: the value as Convex can store it, in at most so many levels, and whether something had to be left out.

    What is None is left out of objects, so that their validators are `v.optional`; that is not told. An object with a
    key that is no plain identifier (a path, a name) becomes an array of `{name, value}`.
    """
    shaping = _Shaping()
    shaped = shaping.of(value, levels)
    return (None if shaped is _LEFT_OUT else shaped), shaping.left_out


def weight(value: Any) -> int:
    """
    Returns: bytes that a storable value takes, at most, both as JSON and as Convex counts them.

    A number of one digit is 9 bytes there, and a control character six in JSON: so neither is the measure alone.
    """
    match value:
        case None | bool():
            return 5
        case str():
            return len(orjson.dumps(value))
        case list():
            return 2 + sum(entry_weight(inner) for inner in value)
        case dict():
            return 2 + sum(field_weight(key, inner) for key, inner in value.items())
        case _:
            return max(_NUMBER_BYTES, len(orjson.dumps(value)))


def entry_weight(value: Any) -> int:
    """Returns: what an array is heavier by the value."""
    return weight(value) + 1


def field_weight(key: str, value: Any) -> int:
    """Returns: what an object is heavier by the field: two quotes, a colon and a comma beside the key and the value."""
    return len(key) + 4 + weight(value)


@attrs.define(eq=False)
class _Shaping:
    left_out: bool = False

    def of(self, value: Any, levels: int) -> Any:
        match value:
            case None | bool():
                return value
            case str():
                return _text(value)
            case int() | float():
                return self._number(value)
            case list() | tuple():
                return self._array(value, levels)
            case dict():
                return self._object(value, levels)
            case _:
                return self._nothing()

    def _nothing(self) -> object:
        self.left_out = True
        return _LEFT_OUT

    def _number(self, number: float) -> Any:
        if isinstance(number, int) and -_WHOLE <= number <= _WHOLE:
            return number
        try:
            nearly = float(number)
        except OverflowError:
            return self._nothing()
        # Zero is added so that there is no -0.0, which Convex writes in a way of its own.
        return nearly + 0.0 if math.isfinite(nearly) else self._nothing()

    def _array(self, values: list[Any] | tuple[Any, ...], levels: int) -> Any:
        if levels < 1:
            return self._nothing()
        self.left_out |= len(values) > MOST_ELEMENTS
        shaped = [self.of(value, levels - 1) for value in values[:MOST_ELEMENTS]]
        return [value for value in shaped if value is not _LEFT_OUT]

    def _object(self, fields: dict[Any, Any], levels: int) -> Any:
        if levels < 1:
            return self._nothing()
        if len(fields) > MOST_FIELDS or not all(isinstance(key, str) and _KEY.fullmatch(key) for key in fields):
            return self._array([{"name": str(key), "value": value} for key, value in fields.items()], levels)
        shaped = {key: self.of(value, levels - 1) for key, value in fields.items()}
        return {key: value for key, value in shaped.items() if value is not None and value is not _LEFT_OUT}


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        # Pairs become the one character that they stand for, what has no partner a replacement character.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
