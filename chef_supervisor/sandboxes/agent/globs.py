"""File patterns: `*` and `?` within a name, `**` for any number of folders."""

from __future__ import annotations

import re


def translate(pattern: str) -> re.Pattern[str]:
    """Returns: an expression that matches the relative paths of the pattern, whole."""
    names = pattern.split("/")
    parts = [_folders(name) for name in names[:-1]]
    last = ".+" if names[-1] == "**" else _name(names[-1])
    return re.compile("".join(parts) + last, re.DOTALL)


def start_of(pattern: str) -> list[str]:
    """Returns: the folders that every match is below; empty where the first name has a wildcard."""
    start: list[str] = []
    for name in pattern.split("/")[:-1]:
        if "*" in name or "?" in name:
            break
        start.append(name)
    return start


def _folders(name: str) -> str:
    return "(?:[^/]+/)*" if name == "**" else _name(name) + "/"


def _name(name: str) -> str:
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)) for char in name)
