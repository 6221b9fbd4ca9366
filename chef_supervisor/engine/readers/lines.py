"""Findings that tools print one a line: tsc, mypy, flake8 and ruff, GitHub commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_SEVERITY: Final = {
    "error": Severity.ERROR,
    "warning": Severity.WARNING,
    "note": Severity.INFO,
    "notice": Severity.INFO,
}
_TSC: Final = re.compile(
    r"(?P<file>[^\s(:][^(:]{0,500})(?:\((?P<line>\d+),(?P<column>\d+)\): |:(?P<line2>\d+):(?P<column2>\d+) - )"
    r"(?P<severity>error|warning) (?P<code>TS\d+): (?P<message>.*)"
)
_MYPY: Final = re.compile(
    r"(?P<file>[^\s:][^:]{0,500}\.pyi?):(?P<line>\d+):(?:(?P<column>\d+):)?(?:\d+:\d+:)? (?P<severity>error|warning): "
    r"(?P<message>.*?)(?:  \[(?P<code>[\w-]+)\])?"
)
_FLAKE8: Final = re.compile(
    r"(?P<file>[^\s:][^:]{0,500}\.pyi?):(?P<line>\d+):(?P<column>\d+): (?P<code>[A-Z]{1,4}\d{1,5}) (?P<message>.*)"
)
_GITHUB: Final = re.compile(r"::(?P<severity>error|warning|notice) (?P<fields>[^:].{0,1000}?)::(?P<message>.*)")
_FIELD: Final = re.compile(r"(?<!\w)(\w+)=([^,]*)")


def read_tsc(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: errors of TypeScript, plain or pretty."""
    yield from _each(_TSC, lines, "tsc")


def read_mypy(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: errors of mypy."""
    yield from _each(_MYPY, lines, "mypy")


def read_flake8(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings of flake8, and of ruff in its concise form."""
    yield from _each(_FLAKE8, lines, "flake8")


def read_github(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings in the form of GitHub's workflow commands, which several linters can print."""
    for line in lines:
        match = _GITHUB.fullmatch(line)
        if match is None:
            continue
        fields = dict(_FIELD.findall(match["fields"]))
        yield diagnostic(
            file=fields.get("file", ""),
            line=an_int(fields.get("line", "")),
            column=an_int(fields.get("col", "")),
            severity=_SEVERITY[match["severity"]],
            code=fields.get("title", ""),
            message=match["message"].replace("%0A", "\n").replace("%0D", "").replace("%25", "%"),
            tool=fields.get("title", "").partition("/")[0] or "linter",
        )


def _each(pattern: re.Pattern[str], lines: list[str], tool: str) -> Iterator[Diagnostic | None]:
    for line in lines:
        match = pattern.fullmatch(line)
        if match is None:
            continue
        fields = {name: value or "" for name, value in match.groupdict().items()}
        yield diagnostic(
            file=fields["file"],
            line=an_int(fields["line"] or fields.get("line2", "")),
            column=an_int(fields["column"] or fields.get("column2", "")),
            severity=_SEVERITY.get(fields.get("severity", ""), Severity.ERROR),
            code=fields["code"],
            message=fields["message"],
            tool=tool,
        )
