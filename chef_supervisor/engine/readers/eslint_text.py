"""What eslint prints when a script of the project calls it: the file on a line, its findings below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_FILE: Final = re.compile(r"(?P<file>/\S.{0,500}|[\w.@-][^\s:]{0,500}\.\w{1,10})")
_FINDING: Final = re.compile(
    r" {1,6}(?P<line>\d+):(?P<column>\d+) {1,6}(?P<severity>error|warning) {1,6}(?P<text>\S.*)"
)


def read_eslint_text(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings of eslint's default form ("stylish")."""
    file = ""
    for line in lines:
        if (found := _FINDING.fullmatch(line)) is not None and file:
            yield _finding(file, found)
        elif _FILE.fullmatch(line) is not None:
            file = line
        elif line.strip():
            file = ""


def _finding(file: str, found: re.Match[str]) -> Diagnostic | None:
    message, _, rule = found["text"].rpartition("  ")
    return diagnostic(
        file=file,
        line=an_int(found["line"]),
        column=an_int(found["column"]),
        severity=Severity(found["severity"]),
        code=rule.strip() if message else "",
        message=message or rule,
        tool="eslint",
    )
