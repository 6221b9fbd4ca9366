"""Findings in the form of GitHub's workflow commands, which several linters can print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_SEVERITY: Final = {"error": Severity.ERROR, "warning": Severity.WARNING, "notice": Severity.INFO}
_COMMAND: Final = re.compile(r"::(?P<severity>error|warning|notice) (?P<fields>[^:].{0,1000}?)::(?P<message>.*)")
_FIELD: Final = re.compile(r"(?<!\w)(\w+)=([^,]*)")
# What the title of a finding begins with -> whose it is.
_TOOLS: Final = {
    "lint/": "biome",
    "parse": "biome",
    "format": "biome",
    "assist/": "biome",
    "Ruff": "ruff",
    "Mypy": "mypy",
}


def read_github(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: one finding per command that names a file."""
    for command in filter(None, map(_COMMAND.fullmatch, lines)):
        fields = dict(_FIELD.findall(command["fields"]))
        title, file = fields.get("title", ""), fields.get("file", "")
        line, column = fields.get("line", ""), fields.get("col", "")
        tool = _tool(title)
        yield diagnostic(
            file=file,
            line=an_int(line),
            column=an_int(column),
            severity=_SEVERITY[command["severity"]],
            # A title with spaces is a sentence, no rule.
            code="" if " " in title or title == tool else title,
            message=_unescaped(command["message"]).removeprefix(f"{file}:{line}:{column}: "),
            tool=tool,
        )


def _unescaped(message: str) -> str:
    return message.replace("%0A", "\n").replace("%0D", "").replace("%25", "%")


def _tool(title: str) -> str:
    known = next((tool for start, tool in _TOOLS.items() if title.startswith(start)), None)
    # oxlint: `eslint(no-debugger)`, or its own name.
    return known or ("oxlint" if "(" in title or title == "oxlint" else "linter")
