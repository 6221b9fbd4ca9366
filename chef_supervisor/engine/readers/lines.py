"""Findings that tools print one a line: tsc, mypy, flake8 and ruff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_TSC: Final = re.compile(
    r"(?P<file>[^\s:][^:]{0,500}?)(?:\((?P<line>\d{1,9}),(?P<column>\d{1,9})\): |:(?P<line2>\d{1,9}):(?P<column2>\d{1,9}) - )"
    r"(?P<severity>error|warning) (?P<code>TS\d{1,6}): (?P<message>.*)"
)
# Of no file: error TS18003: No inputs were found in config file '/workspace/tsconfig.json'. ...
_TSC_PROJECT: Final = re.compile(r"error (?P<code>TS\d{1,6}): (?P<message>.*)")
_CONFIG: Final = re.compile(r"'([^']{1,500}\.json)'")
_MYPY: Final = re.compile(
    r"(?P<file>[^\s:][^:]{0,500}\.pyi?):(?P<line>\d{1,9}):(?:(?P<column>\d{1,9}):)?(?:\d{1,9}:\d{1,9}:)? "
    r"(?P<severity>error|warning): (?P<message>.*)"
)
_MYPY_CODE: Final = re.compile(r"(?P<message>.*)  \[(?P<code>[\w-]{1,80})\]")
# With --pretty mypy breaks its messages into so many lines.
_MOST_CONTINUED: Final = 6
_FLAKE8: Final = re.compile(
    r"(?P<file>[^\s:][^:]{0,500}\.(?:pyi?|ipynb)):(?P<line>\d{1,9}):(?P<column>\d{1,9}): "
    r"(?P<code>[A-Z]{1,4}\d{1,5}|invalid-syntax:) (?:\[\*\] )?(?P<message>.*)"
)
_RUFFS_END: Final = re.compile(r"Found \d{1,9} errors?(?: \(.*\))?\.")


def read_tsc(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: errors of TypeScript, plain or pretty."""
    for line in lines:
        if (match := _TSC.fullmatch(line)) is not None:
            yield _tsc(match)
        elif (match := _TSC_PROJECT.fullmatch(line)) is not None:
            config = _CONFIG.search(match["message"])
            yield diagnostic(
                file=config[1] if config is not None else "tsconfig.json",
                line=0,
                column=0,
                severity=Severity.ERROR,
                code=match["code"],
                message=match["message"],
                tool="tsc",
            )


def _tsc(match: re.Match[str]) -> Diagnostic | None:
    return diagnostic(
        file=match["file"],
        line=an_int(match["line"] or match["line2"]),
        column=an_int(match["column"] or match["column2"]),
        severity=Severity(match["severity"]),
        code=match["code"],
        message=match["message"],
        tool="tsc",
    )


def read_mypy(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: errors of mypy, plain or pretty."""
    for index, line in enumerate(lines):
        if (match := _MYPY.fullmatch(line)) is not None:
            message, code = _mypys_message(match["message"], lines[index + 1 : index + _MOST_CONTINUED])
            yield _found(match, match["column"] or "", code, message, "mypy")


def _mypys_message(message: str, following: list[str]) -> tuple[str, str]:
    text = message
    for line in ["", *following]:
        if line.startswith("  ") or _MYPY.fullmatch(line):
            break
        text = f"{text} {line}" if line else text
        if (coded := _MYPY_CODE.fullmatch(text)) is not None:
            return coded["message"], coded["code"]
    return message, ""


def read_flake8(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings of flake8, and of ruff in its concise form."""
    tool = "ruff" if any(map(_RUFFS_END.fullmatch, lines)) else "flake8"
    for match in filter(None, map(_FLAKE8.fullmatch, lines)):
        yield _found(match, match["column"], match["code"].rstrip(":"), match["message"], tool)


def _found(match: re.Match[str], column: str, code: str, message: str, tool: str) -> Diagnostic | None:
    severity = match.groupdict().get("severity") or "error"
    return diagnostic(
        file=match["file"],
        line=an_int(match["line"]),
        column=an_int(column),
        severity=Severity(severity),
        code=code,
        message=message,
        tool=tool,
    )
