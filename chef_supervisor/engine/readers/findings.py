"""What every reader returns, and the bounds it keeps to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Diagnostic, Severity, TestCase, TestCounts, Verdict
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.text import message_of

MAX_DIAGNOSTICS: Final = 200
MAX_CASES: Final = 500
_LONGEST_NAME: Final = 500
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


@attrs.define(eq=False)
class Tally:
    """Counts tests one by one and keeps 500 of them, failed ones first."""

    _count: dict[Verdict, int] = attrs.field(factory=lambda: dict.fromkeys(Verdict, 0), init=False)
    _kept: dict[Verdict, list[TestCase]] = attrs.field(factory=lambda: {one: [] for one in Verdict}, init=False)

    def add(self, *, name: str, file: str, status: Verdict, ms: int, message: str = "") -> None:
        """Count a test; its texts are cut and cleaned only where it is kept."""
        self._count[status] += 1
        if len(self._kept[status]) >= MAX_CASES:
            return
        case = TestCase(
            name=message_of(name, _LONGEST_NAME),
            file=project_path(file) or "",
            status=status,
            ms=ms,
            message=message_of(message) if status is not Verdict.PASSED else "",
        )
        self._kept[status].append(case)

    def counts(self) -> TestCounts:
        """Returns: all that was counted."""
        order = (Verdict.FAILED, Verdict.SKIPPED, Verdict.PASSED)
        return TestCounts(
            passed=self._count[Verdict.PASSED],
            failed=self._count[Verdict.FAILED],
            skipped=self._count[Verdict.SKIPPED],
            cases=tuple(case for status in order for case in self._kept[status])[:MAX_CASES],
        )
