"""The summary of a result: at most 4 kB for a person or a model: the verdict, then what to look at first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Result, Severity, StepStatus, TestCase, Verdict
from chef_supervisor.engine.page import Page, one_line
from chef_supervisor.engine.readers.places import frame, innermost, is_frame
from chef_supervisor.engine.readers.tally import TEST_FAILED

MAX_BYTES: Final = 4096
_CUT: Final = "\n..."
# Bytes that each part leaves to those behind it, which tell less, or the same in other words.
_FOR_FINDINGS: Final = 1200
_FOR_WARNINGS: Final = 500
_MOST_OF_OUTPUT: Final = 1600
_MOST_CASES: Final = 10
_MOST_IN_FILE: Final = 8
_MOST_FINDINGS: Final = 40
_MOST_WARNINGS: Final = 8
_MOST_STEPS: Final = 10
_MESSAGE_LINES: Final = 6
_SHORT: Final = 200
_RANK: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def clip(text: str, max_bytes: int = MAX_BYTES) -> str:
    """Returns: the text, cut between characters so that it has at most so many bytes of UTF-8."""
    raw = text.encode()
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - len(_CUT)].decode("utf-8", "ignore") + _CUT


def summary_of(result: Result, analysis: str) -> str:
    """
    Returns: verdict, failed steps and tests, findings by file, warnings, the analysis.

    The end of the output stands in it only where a failure is explained by nothing else.
    """
    page = Page(MAX_BYTES)
    page.add([one_line(f"{result.verdict}: {result.message}", 600)])
    page.add(_steps(result))
    _add_tests(page, result)
    _add_findings(page, [one for one in result.diagnostics if one.code != TEST_FAILED or result.tests is None])
    if result.verdict is Verdict.FAILED and not _is_explained(result):
        _add_output(page, result.output.tail or result.output.head)
    _add_warnings(page, result)
    for line in analysis.splitlines():
        if not page.add([one_line(line, 400)], len(_CUT)):
            page.add(["..."])
            break
    return clip(page.text)


def _steps(result: Result) -> Iterator[str]:
    failed = [step for step in result.steps if step.status not in {StepStatus.PASSED, StepStatus.SKIPPED}]
    if len(result.steps) > 1:
        for step in failed[:_MOST_STEPS]:
            code = f", exit code {step.exit_code}" if step.exit_code is not None else ""
            yield one_line(f"step {step.name}: {step.status}{code}")


def _is_explained(result: Result) -> bool:
    failed = result.tests is not None and any(case.status is Verdict.FAILED for case in result.tests.cases)
    return failed or any(one.severity is Severity.ERROR for one in result.diagnostics)


def _add_tests(page: Page, result: Result) -> None:
    tests = result.tests
    if tests is None:
        return
    page.add([f"tests: {tests.passed} passed, {tests.failed} failed, {tests.skipped} skipped"])
    failed = [case for case in tests.cases if case.status is Verdict.FAILED]
    page.add_blocks(
        [_case(case) for case in failed[:_MOST_CASES]],
        lambda added: f"... and {tests.failed - added} more failing tests",
        keep_free=_FOR_WARNINGS + (_FOR_FINDINGS if len(result.diagnostics) > len(failed) else 0),
        left_out=tests.failed - min(len(failed), _MOST_CASES),
    )


def _case(case: TestCase) -> list[str]:
    lines = [line for line in case.message.splitlines() if line.strip() and not is_frame(line)]
    # pytest shows the source first and marks what went wrong.
    told = [line[1:].strip() for line in lines if line.startswith("E  ")] or lines
    place = innermost(case.message)
    at = [f"  at {_spot(place.file, place.line, place.column)}"] if place is not None and place.line else []
    named = f"{case.file} > {case.name}" if case.file else case.name
    shown = (line for line in told if frame(line) is None)
    return [
        one_line(f"FAIL {named}"),
        *(f"  {one_line(line, _SHORT)}" for line, _ in zip(shown, range(_MESSAGE_LINES), strict=False)),
        *at,
    ]


def _add_findings(page: Page, found: Sequence[Diagnostic]) -> None:
    if not found:
        return
    by_file: dict[str, list[Diagnostic]] = defaultdict(list)
    for one in sorted(found, key=lambda one: (_RANK[one.severity], one.line, one.column)):
        by_file[one.file].append(one)
    page.add([_counts(found, len(by_file))])
    worst_first = sorted(by_file.values(), key=_badness)
    shown: list[int] = []
    blocks = []
    for group in worst_first:
        if sum(shown) < _MOST_FINDINGS:
            shown.append(min(len(group), _MOST_IN_FILE))
            blocks.append(_file(group))
    page.add_blocks(
        blocks,
        lambda added: f"... and {sum(map(len, worst_first[added:]))} more findings in {len(worst_first) - added} files",
        keep_free=_FOR_WARNINGS,
        left_out=len(worst_first) - len(blocks),
    )


def _counts(found: Sequence[Diagnostic], files: int) -> str:
    errors = sum(one.severity is Severity.ERROR for one in found)
    warnings = len(found) - errors
    return f"findings: {_number(errors, 'error')}, {_number(warnings, 'warning')} in {_number(files, 'file')}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _badness(group: list[Diagnostic]) -> tuple[int, int]:
    errors = sum(one.severity is Severity.ERROR for one in group)
    return -errors, -len(group)


def _file(group: list[Diagnostic]) -> list[str]:
    more = len(group) - _MOST_IN_FILE
    return [
        one_line(group[0].file),
        *(_finding(one) for one in group[:_MOST_IN_FILE]),
        *([f"  ... and {more} more here"] if more > 0 else []),
    ]


def _finding(one: Diagnostic) -> str:
    place = _spot(one.line, one.column)
    return "  " + one_line(" ".join(filter(None, [place, one.severity, one.code, one.message])))


def _spot(*parts: str | int) -> str:
    return ":".join(str(part) for part in parts if part)


def _add_output(page: Page, output: str) -> None:
    room = min(page.room - _FOR_WARNINGS, _MOST_OF_OUTPUT)
    chosen: list[str] = []
    for line in reversed([line for line in output[-_MOST_OF_OUTPUT * 4 :].splitlines() if line.strip()]):
        cut = line.rstrip()[:_SHORT]
        room -= len(cut.encode()) + 1
        if room < 0:
            break
        chosen.append(cut)
    if chosen:
        page.add(["last output:", *reversed(chosen)])


def _add_warnings(page: Page, result: Result) -> None:
    if result.toolchain:
        page.add([one_line(f"toolchain: {result.toolchain}")])
    shown = result.warnings[:_MOST_WARNINGS]
    page.add_blocks(
        [[one_line(f"warning: {warning}")] for warning in shown],
        lambda added: f"... and {len(result.warnings) - added} more warnings",
        left_out=len(result.warnings) - len(shown),
    )
