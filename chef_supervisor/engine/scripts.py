"""What a script of `package.json` really runs: other scripts it starts, and whether it is one plain command."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Final

_SHELL: Final = re.compile(r"[&|;<>$`(){}\n\\]")
# What starts a program of the dependencies, or sets a variable for it.
_PREFIX: Final = re.compile(
    r"(?:cross-env\s+|[A-Z_][A-Z0-9_]*=\S*\s+"
    r"|(?:npx|pnpx|bunx|bun\s+x|(?:pnpm|yarn)\s+(?:exec|dlx))\s+(?:--(?:no-install|bun|yes)\s+|-y\s+)*(?:--\s+)?"
    r"|npm\s+exec\s+--\s+|(?P<runner>bun\s+run|bun|pnpm|yarn)\s+(?!run\b)(?=(?P<started>[\w@/.-]+)))*"
)
_RUNS_SCRIPTS: Final = re.compile(r"\b(npm|pnpm|yarn|bun|run-[sp]|npm-run-all2?|concurrently|turbo|wireit)\b")
_OWN_COMMANDS: Final = frozenset(
    {"run", "run-script", "test", "start", "install", "add", "exec", "dlx", "x", "workspace"}
)
_OF_BUN: Final = frozenset({"test", "build"})
# Enough for any honest project; a hostile one may have every script start every other.
_MOST_SCRIPTS: Final = 50
_MOST_GLOBS: Final = 10
_WORD: Final = re.compile(r"[\w:*./@-]+")


def plain_command(script: str, scripts: Mapping[str, str]) -> str:
    """
    Returns: the command without `npx` (or another manager's word for it) and variables before it; empty where the script
    needs a shell, or starts one of the other scripts.
    """
    found = _PREFIX.match(script)
    if _SHELL.search(script) or found is None:
        return ""
    if found["runner"] == "bun" and found["started"] in _OF_BUN:
        return " ".join(script.split())
    if found["started"] in scripts or found["started"] in _OWN_COMMANDS:
        # `yarn test` is the script of that name.
        return ""
    return " ".join(script[found.end() :].split())


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
