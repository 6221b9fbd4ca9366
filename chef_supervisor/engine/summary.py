"""The summary of a result: at most 4 kB for a person or a model: the verdict, then what to look at first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Result, Severity, StepStatus, TestCase, TestCounts, Verdict

MAX_BYTES: Final = 4096
_MOST_DIAGNOSTICS: Final = 20
_MOST_CASES: Final = 10
_LAST_LINES: Final = 20
_LINE: Final = 300
_CUT: Final = "\n..."


def clip(text: str, max_bytes: int = MAX_BYTES) -> str:
    """Returns: the text, cut between characters so that it has at most so many bytes of UTF-8."""
    raw = text.encode()
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - len(_CUT)].decode("utf-8", "ignore") + _CUT


def summary_of(result: Result, inventory: str) -> str:
    """Returns: verdict, tests that failed, findings, the end of the output where nothing else tells, the inventory."""
    return clip("\n".join(_lines(result, inventory)))


def _lines(result: Result, inventory: str) -> Iterator[str]:
    yield f"{result.verdict}: {result.message}"
    failed_steps = [step for step in result.steps if step.status != StepStatus.PASSED]
    yield from (f"step {step.name}: {step.status}" for step in failed_steps if len(failed_steps) > 1)
    if result.tests is not None:
        yield from _tests(result.tests)
    yield from _findings(result.diagnostics)
    if result.verdict is Verdict.FAILED and not result.diagnostics and not _failed_cases(result):
        yield from _end_of(result.output.tail or result.output.head)
    if inventory:
        yield inventory


def _failed_cases(result: Result) -> list[TestCase]:
    cases = result.tests.cases if result.tests is not None else ()
    return [case for case in cases if case.status is Verdict.FAILED]


def _tests(tests: TestCounts) -> Iterator[str]:
    yield f"tests: {tests.passed} passed, {tests.failed} failed, {tests.skipped} skipped"
    failed = [case for case in tests.cases if case.status is Verdict.FAILED]
    for case in failed[:_MOST_CASES]:
        yield f"FAIL {case.file + ' > ' if case.file else ''}{case.name}"[:_LINE]
        yield from (f"  {line}"[:_LINE] for line in case.message.splitlines()[:6])
    if tests.failed > _MOST_CASES:
        yield f"... and {tests.failed - _MOST_CASES} more failing tests"


def _findings(diagnostics: tuple[Diagnostic, ...]) -> Iterator[str]:
    worst_first = sorted(diagnostics, key=lambda one: one.severity is not Severity.ERROR)
    for one in worst_first[:_MOST_DIAGNOSTICS]:
        place = ":".join([one.file, *(str(number) for number in (one.line, one.column) if number)])
        code = f" {one.code}" if one.code else ""
        yield f"{place} {one.severity}{code}: {' '.join(one.message.split())}"[:_LINE]
    if len(diagnostics) > _MOST_DIAGNOSTICS:
        yield f"... and {len(diagnostics) - _MOST_DIAGNOSTICS} more findings"


def _end_of(output: str) -> Iterator[str]:
    lines = [line for line in output.splitlines() if line.strip()]
    if lines:
        yield "last output:"
        yield from (line[:_LINE] for line in lines[-_LAST_LINES:])
