"""Bytes that a project's tools printed, as clean text: valid, without terminal codes, without overwritten lines."""

from __future__ import annotations

import re
from typing import Final

# Every alternative starts with ESC (or its 8-bit form) and cannot run over another: linear time on any input.
_TERMINAL: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC and the like: titles, links
    r"|\x1b[ -/]*[0-~]?"
)
_COLOUR: Final = re.compile(r"(\x1b\[[0-9;:]{0,64}m)")
_OVERWRITTEN: Final = re.compile(r"^[^\n]*\r(?=[^\n])", re.MULTILINE)
# All controls but tab and line feed; lone surrogates; characters that change the direction of what follows.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# `(?<!...)`: the folder `src/deps/` of a project is not ours. The dependencies of a job have a folder of their own
# below `/deps`, by their key, which nobody needs to know.
_OURS: Final = re.compile(
    r"(?<![\w./-])(?:file://)?/(?:workspace|deps(?:/[0-9a-f]{32,64}(?![\w.-]))?)(?:/|(?![\w./-]))"
)


def decode(raw: bytes) -> str:
    """Returns: what a person would see of it on a terminal, without colours; bytes that are no UTF-8 as hex escapes."""
    return clean(raw.decode("utf-8", "backslashreplace"))


def coloured(raw: bytes) -> str:
    """Returns: whole lines for a terminal: colours and returns to the start of a line stay, all else that it obeys goes."""
    parts = _COLOUR.split(raw.decode("utf-8", "backslashreplace"))
    return "".join(part if index % 2 else without_our_paths(_obeyed_by_none(part)) for index, part in enumerate(parts))


def _obeyed_by_none(text: str) -> str:
    return "\r".join(_CONTROLS.sub("", part) for part in _TERMINAL.sub("", text).split("\r"))


def clean(text: str) -> str:
    """Returns: the text without terminal codes, control characters and lines that were written over."""
    plain = _TERMINAL.sub("", text).replace("\r\n", "\n")
    return _CONTROLS.sub("", _OVERWRITTEN.sub("", plain.rstrip("\r")))


def without_our_paths(text: str) -> str:
    """Returns: the text with paths below the workspace and the dependencies made relative to the project."""
    return _OURS.sub(lambda match: "" if match[0].endswith("/") else ".", text)


def message_of(text: str, longest: int = 2000) -> str:
    """Returns: a message for a result: clean, our paths relative, at most so many characters."""
    # Cut before it is cleaned as well: a report may hold one text of megabytes.
    neat = without_our_paths(clean(text[: longest * 4])).strip()
    return neat if len(neat) <= longest else neat[: longest - 4] + " ..."
