"""
Which paths git would ignore, from `.gitignore` files at all levels and `.git/info/exclude`.

Source: gitignore(5). The patterns themselves are pathspec's; how those of several files go together stands here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import attrs
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

IGNORE_FILE: Final = ".gitignore"
_EXCLUDE: Final = Path("info", "exclude")
_ESCAPED_SPACE: Final = "\\ "


@attrs.frozen(kw_only=True)
class Rule:
    """One line. `only_folders`: it ended in a slash."""

    shape: re.Pattern[str]
    ignores: bool
    only_folders: bool

    def matches(self, path: str, *, folder: bool) -> bool:
        """Whether it speaks of the path itself; what it says of the folders above was heard when those were met."""
        found = self.shape.match(path) if folder or not self.only_folders else None
        return found is not None and not found.groupdict().get("ps_d")


@attrs.frozen
class Rules:
    """The lines of one file, the last first, for paths below `base` (empty, or with a slash at its end)."""

    base: str
    rules: tuple[Rule, ...]

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """Returns: whether the path is ignored; None where no line speaks of it. It is relative to the repository."""
        below = path.removeprefix(self.base)
        return next((rule.ignores for rule in self.rules if rule.matches(below, folder=folder)), None)


def read_rules(file: Path, base: str) -> Rules:
    """Returns: the rules of that file; none where it is not there, is no file (git follows no link here) or unreadable."""
    if file.is_symlink() or not file.is_file():
        return Rules(base, ())
    lines = os.fsdecode(file.read_bytes()).removeprefix("\ufeff").split("\n")
    rules = [rule for line in lines if (rule := _rule(line.removesuffix("\r"))) is not None]
    return Rules(base, tuple(reversed(rules)))


def read_excludes(repository: Path) -> Rules:
    """Returns: the rules that are this copy's own; they weigh less than all others."""
    return read_rules(repository / ".git" / _EXCLUDE, "")


def is_ignored(levels: list[Rules], path: str, *, folder: bool) -> bool:
    """Whether git would ignore it; `levels` are the rules that hold there, the nearest last."""
    verdicts = (rules.verdict(path, folder=folder) for rules in reversed(levels))
    return next((verdict for verdict in verdicts if verdict is not None), False)


def _rule(line: str) -> Rule | None:
    while line.endswith(" ") and not line.endswith(_ESCAPED_SPACE):
        line = line[:-1]
    text = line.removesuffix("/")
    try:
        pattern = GitIgnoreSpecPattern(text)
    except (GitIgnorePatternError, re.error):
        # Git takes no notice of such a line, as of a range that ends before it begins (`[z-a]`).
        return None
    if pattern.include is None or pattern.regex is None:
        return None
    return Rule(shape=pattern.regex, ignores=pattern.include, only_folders=text != line)
