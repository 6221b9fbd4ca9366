"""Text of projects and their tools, made harmless for a terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Source: ECMA-48, 5.4 (control sequences) and 5.6 (control strings, as they set titles and links).
_CODES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[PX\]^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_INVISIBLE: Final = frozenset({"Cc", "Cs"})
# They show text in another order than it has. Source: Unicode Standard Annex 9, 2 "Directional Formatting Characters".
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """
    Returns: the text without anything that moves a cursor, changes a colour, turns words around or answers; lines and
        tabs stay.
    """
    return "".join(filter(_is_shown, _CODES.sub("", text)))


def _is_shown(letter: str) -> bool:
    return letter in "\n\t" or not (letter in _TURNING or unicodedata.category(letter) in _INVISIBLE)


def first_line(text: str) -> str:
    """Returns: the first line that says anything."""
    return next((line.strip() for line in plain(text).splitlines() if line.strip()), "")
