"""What eslint and stylelint print when a script of the project calls them: a file on a line, its findings below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_FILE: Final = re.compile(r"(?P<file>[^\s:][^:]{0,500}\.\w{1,10})")
_FINDING: Final = re.compile(
    r" {1,6}(?P<line>\d{1,9}):(?P<column>\d{1,9}) {1,6}(?P<severity>error|warning|[✖×⚠‼ℹ]) {1,6}(?P<text>\S.*)"
)
_SEVERITY: Final = {"error": Severity.ERROR, "warning": Severity.WARNING}
_MARK: Final = {
    "✖": Severity.ERROR,
    "×": Severity.ERROR,
    "⚠": Severity.WARNING,
    "‼": Severity.WARNING,
    "ℹ": Severity.INFO,
}


def read_eslint_text(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings of eslint's usual form ("stylish"), which oxlint has as well."""
    yield from _read(lines, _SEVERITY, "eslint")


def read_stylelint_text(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings of stylelint's usual form ("string")."""
    yield from _read(lines, _MARK, "stylelint")


def _read(lines: list[str], severities: dict[str, Severity], tool: str) -> Iterator[Diagnostic | None]:
    file = ""
    for line in lines:
        if (found := _FINDING.fullmatch(line)) is not None and file:
            if found["severity"] in severities:
                yield _finding(file, found, severities[found["severity"]], tool)
        elif _FILE.fullmatch(line) is not None:
            file = line
        elif line.strip():
            file = ""


def _finding(file: str, found: re.Match[str], severity: Severity, tool: str) -> Diagnostic | None:
    message, _, rule = found["text"].rpartition("  ")
    return diagnostic(
        file=file,
        line=an_int(found["line"]),
        column=an_int(found["column"]),
        severity=severity,
        code=rule.strip() if message else "",
        message=message or rule,
        tool=tool,
    )
