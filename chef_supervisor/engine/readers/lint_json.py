"""JSON reports of linters: eslint, stylelint, oxlint, ruff."""

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


def read_stylelint_json(content: bytes) -> Findings:
    """
    Returns: what `stylelint -f json` found.

    Raises:
        Unreadable: it is no such report.
    """
    return Findings(diagnostics=bounded(_stylelint(_list(content))))


def read_oxlint_json(content: bytes) -> Findings:
    """
    Returns: what `oxlint -f json` found.

    Raises:
        Unreadable: it is no such report.
    """
    report = a_dict(json_of(content)).get("diagnostics")
    if not isinstance(report, list):
        msg = "it has no diagnostics"
        raise Unreadable(msg)
    return Findings(diagnostics=bounded(_oxlint(report)))


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


def _stylelint(report: list[object]) -> Iterator[Diagnostic | None]:
    for file in dicts(report):
        for warning in dicts(file.get("warnings")):
            rule, text = a_text(warning.get("rule")), a_text(warning.get("text"))
            yield diagnostic(
                file=a_text(file.get("source")),
                line=an_int(warning.get("line")),
                column=an_int(warning.get("column")),
                severity=Severity.WARNING if warning.get("severity") == "warning" else Severity.ERROR,
                code=rule,
                message=text.removesuffix(f" ({rule})"),
                tool="stylelint",
            )


def _oxlint(report: list[object]) -> Iterator[Diagnostic | None]:
    for one in dicts(report):
        span = a_dict(next(dicts(one.get("labels")), {}).get("span"))
        yield diagnostic(
            file=a_text(one.get("filename")),
            line=an_int(span.get("line")),
            column=an_int(span.get("column")),
            severity=Severity.ERROR if one.get("severity") == "error" else Severity.WARNING,
            code=a_text(one.get("code")),
            message=a_text(one.get("message")),
            tool="oxlint",
        )
