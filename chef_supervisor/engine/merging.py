"""What reports and printed text said of one run becomes one list: nothing twice, and no guess beside what is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity, TestCounts, Verdict
from chef_supervisor.engine.readers.findings import Findings, bounded
from chef_supervisor.engine.readers.tally import MAX_CASES, TEST_FAILED

_ORDER: Final = (Verdict.FAILED, Verdict.SKIPPED, Verdict.PASSED)


def merged_tests(found: Sequence[Findings]) -> TestCounts | None:
    """Returns: the tests of all that told of some, added up; None where nothing did."""
    told = [one.tests for one in found if one.tests is not None]
    if len(told) <= 1:
        return told[0] if told else None
    cases = [case for counts in told for case in counts.cases]
    return TestCounts(
        passed=sum(counts.passed for counts in told),
        failed=sum(counts.failed for counts in told),
        skipped=sum(counts.skipped for counts in told),
        cases=tuple(case for status in _ORDER for case in cases if case.status is status)[:MAX_CASES],
    )


def merged_diagnostics(told: Iterable[Diagnostic], stacks: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """
    Returns: what tools told, each once, errors first; and of the `stacks` that were printed those that add something.

    A stack adds something where no error has a place, or where a test failed without one.
    """
    own = _once(told)
    errors = [one for one in own if one.severity is Severity.ERROR]
    unplaced = {one.file for one in errors if not one.line}
    is_explained = any(one.line for one in errors)
    added = [one for one in _once(stacks) if one.file in unplaced or not is_explained]
    placed = {one.file for one in added if one.line}
    kept = [one for one in own if one.line or one.code != TEST_FAILED or one.file not in placed]
    return bounded([*kept, *(one for one in added if one.line or one.file not in unplaced)])


def _once(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Returns: the first of those that say the same of the same place, whoever says it."""
    return list(
        {(one.file, one.line, one.column, one.code, one.message): one for one in reversed(list(found))}.values()
    )[::-1]
