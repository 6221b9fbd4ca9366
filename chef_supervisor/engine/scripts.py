"""What a script of `package.json` really runs: other scripts it starts, and whether it is one plain command."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Final

_SHELL: Final = re.compile(r"[&|;<>$`(){}\n\\]")
_PREFIX: Final = re.compile(r"(?:cross-env\s+|npx\s+(?:--no-install\s+)?|[A-Z_][A-Z0-9_]*=\S*\s+)*")
_RUNS_SCRIPTS: Final = re.compile(r"\b(npm|pnpm|yarn|bun|run-[sp]|npm-run-all2?|concurrently|turbo|wireit)\b")
# Enough for any honest project; a hostile one may have every script start every other.
_MOST_SCRIPTS: Final = 50
_MOST_GLOBS: Final = 10
_WORD: Final = re.compile(r"[\w:*./@-]+")


def plain_command(script: str) -> str:
    """Returns: the command without `npx` and variables before it; empty where the script needs a shell."""
    if _SHELL.search(script):
        return ""
    return " ".join(script[_PREFIX.match(script).end() :].split())  # type: ignore[union-attr]  # matches the empty text


def closure(name: str, scripts: Mapping[str, str]) -> str:
    """Returns: the texts of the script, of `pre` and `post`, and of every script that they may start, one a line."""
    seen: dict[str, str] = {}
    waiting = [name]
    while waiting and len(seen) < _MOST_SCRIPTS:
        current = waiting.pop()
        if current in seen or current not in scripts:
            continue
        seen[current] = scripts[current]
        waiting += [f"pre{current}", f"post{current}", *_started_by(scripts[current], scripts)]
    return "\n".join(seen.values())


def _started_by(text: str, scripts: Mapping[str, str]) -> list[str]:
    # Any name behind a runner of scripts counts: one too many makes us careful, one too few makes the job fail.
    if not _RUNS_SCRIPTS.search(text):
        return []
    words = [word.removeprefix("npm:") for word in _WORD.findall(text)]
    plain = {word for word in words if "*" not in word}
    globs = [word for word in words if "*" in word][:_MOST_GLOBS]
    return [name for name in scripts if name in plain or any(fnmatch.fnmatchcase(name, glob) for glob in globs)]
