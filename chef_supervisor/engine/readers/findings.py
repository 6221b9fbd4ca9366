"""What every reader returns, and the bounds it keeps to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Diagnostic, Severity, TestCounts
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.text import message_of

MAX_DIAGNOSTICS: Final = 200
_LONGEST_CODE: Final = 100


@attrs.frozen(kw_only=True)
class Findings:
    """What one report said. `tests` is None where it was no report of tests."""

    tests: TestCounts | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def diagnostic(
    *, file: str, line: int, column: int, severity: Severity, code: str, message: str, tool: str
) -> Diagnostic | None:
    """Returns: a bounded, clean diagnostic; None where its file is none of the project."""
    path = project_path(file)
    if path is None:
        return None
    return Diagnostic(
        file=path,
        line=line,
        column=column,
        severity=severity,
        code=message_of(code, _LONGEST_CODE),
        message=message_of(message),
        tool=tool,
    )


def bounded(found: Iterable[Diagnostic | None]) -> tuple[Diagnostic, ...]:
    """Returns: the first 200 that differ, errors before warnings."""
    by_severity: dict[Severity, dict[Diagnostic, None]] = {severity: {} for severity in Severity}
    for one in found:
        if one is not None and len(by_severity[one.severity]) < MAX_DIAGNOSTICS:
            by_severity[one.severity][one] = None
    return tuple(one for kept in by_severity.values() for one in kept)[:MAX_DIAGNOSTICS]


def by_lines(read: Callable[[list[str]], Iterable[Diagnostic | None]]) -> Callable[[list[str]], Findings]:
    """Returns: a reader of printed lines that finds diagnostics and no tests."""
    return lambda lines: Findings(diagnostics=bounded(read(lines)))
