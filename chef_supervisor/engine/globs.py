"""Globs over paths of a project: `**` any folders, `*` and `?` within a name, `{a,b}` either. Nothing else is special."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final

_PART: Final = re.compile(r"\*\*/|\*\*|\*|\?|[{},]|[^*?{},]+")
_REGEX_OF: Final = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    depth = 0
    regex = []
    for part in _PART.findall(pattern):
        depth += (part == "{") - (part == "}")
        regex.append("|" if part == "," and depth else _REGEX_OF.get(part, re.escape(part)))
    return re.compile("".join(regex), re.DOTALL)


def matching(patterns: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Returns: the paths that any of the globs matches whole, in their order."""
    compiled = [_compiled(pattern) for pattern in patterns]
    return [path for path in paths if any(regex.fullmatch(path) for regex in compiled)]
