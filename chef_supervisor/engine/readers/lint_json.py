"""JSON reports of linters: eslint, ruff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import Findings, bounded, diagnostic
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, an_int, dicts, json_of

_ESLINT_ERROR: Final = 2


def read_eslint_json(content: bytes) -> Findings:
    """
    Returns: what `eslint -f json` found.

    Raises:
        Unreadable: it is no such report.
    """
    return Findings(diagnostics=bounded(_eslint(_list(content))))


def read_ruff_json(content: bytes) -> Findings:
    """
    Returns: what `ruff check --output-format=json` found.

    Raises:
        Unreadable: it is no such report.
    """
    return Findings(diagnostics=bounded(_ruff(_list(content))))


def _list(content: bytes) -> list[object]:
    report = json_of(content)
    if not isinstance(report, list):
        msg = "it is no list"
        raise Unreadable(msg)
    return report


def _eslint(report: list[object]) -> Iterator[Diagnostic | None]:
    for file in dicts(report):
        for message in dicts(file.get("messages")):
            yield diagnostic(
                file=a_text(file.get("filePath")),
                line=an_int(message.get("line")),
                column=an_int(message.get("column")),
                severity=Severity.ERROR if message.get("severity") == _ESLINT_ERROR else Severity.WARNING,
                code=a_text(message.get("ruleId")),
                message=a_text(message.get("message")),
                tool="eslint",
            )


def _ruff(report: list[object]) -> Iterator[Diagnostic | None]:
    for one in dicts(report):
        location = a_dict(one.get("location"))
        yield diagnostic(
            file=a_text(one.get("filename")),
            line=an_int(location.get("row")),
            column=an_int(location.get("column")),
            severity=Severity.ERROR,
            code=a_text(one.get("code")),
            message=a_text(one.get("message")),
            tool="ruff",
        )
