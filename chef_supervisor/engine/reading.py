"""Reports and output of a record become tests, diagnostics and warnings. What cannot be read is a warning."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Diagnostic, Output, Severity, TestCounts
from chef_supervisor.engine.headtail import HeadTail
from chef_supervisor.engine.located import Located
from chef_supervisor.engine.merging import merged_diagnostics, merged_tests
from chef_supervisor.engine.readers import LAST_RESORT, OUTPUT_READERS, REPORT_READERS
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.record import BoxRecord, Record, report_readers
from chef_supervisor.engine.shapes import Unreadable
from chef_supervisor.engine.text import decode, without_our_paths

# A line longer than this is no finding but minified code.
_LONGEST_LINE = 4000
# What ruff calls an error of syntax, now and before.
_SYNTAX = frozenset({"", "invalid-syntax", "E999"})


@attrs.frozen(kw_only=True)
class Reading:
    """All that was read. `outputs`: what each step of the run printed, by its index."""

    tests: TestCounts | None
    diagnostics: tuple[Diagnostic, ...]
    outputs: Mapping[int, Output]
    warnings: tuple[str, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(one.severity is Severity.ERROR for one in self.diagnostics)


def read(record: Record) -> Reading:
    """Returns: what the reports and the outputs of the run say."""
    warnings: list[str] = []
    reports = [
        _report(path, reader, record, warnings)
        for path, reader in report_readers(record.plan).items()
        if reader in REPORT_READERS
    ]
    outputs = outputs_of(record.run)
    printed = [_printed(record, index, output) for index, output in outputs.items()]
    found = _believed(record, reports, [one for step in printed for one in step.told])
    located = Located(record.plan.run.files)
    tests = merged_tests(found)
    return Reading(
        tests=attrs.evolve(tests, cases=tuple(map(located.case, tests.cases))) if tests is not None else None,
        diagnostics=merged_diagnostics(
            [located.diagnostic(item) for one in found for item in one.diagnostics],
            [located.diagnostic(item) for step in printed for one in step.stacks for item in one.diagnostics],
        ),
        outputs=outputs,
        warnings=tuple(warnings),
    )


@attrs.frozen
class _Printed:
    """What one step printed, as read by the tools' readers, and its stacks where it failed."""

    told: tuple[Findings, ...]
    stacks: tuple[Findings, ...]


def _printed(record: Record, index: int, output: Output) -> _Printed:
    lines = [line for line in text_of(output).splitlines() if len(line) <= _LONGEST_LINE]
    if not lines:
        return _Printed((), ())
    names = record.plan.output_readers
    told = tuple(OUTPUT_READERS[name](lines) for name in names if name not in LAST_RESORT)
    if record.run.passed(index):
        return _Printed(told, ())
    return _Printed(told, tuple(OUTPUT_READERS[name](lines) for name in names if name in LAST_RESORT))


def _believed(record: Record, reports: list[Findings], printed: list[Findings]) -> list[Findings]:
    """Returns: reports, and of what was printed that which tells of no tests, or of tests that nothing else told of."""
    without = [one for one in printed if one.tests is None]
    of_tests = [one for one in printed if one.tests is not None]
    if any(one.tests is not None for one in reports):
        return [*reports, *without]
    if record.run.succeeded:
        # Text never makes a failure of what ended well, and only a test job is asked what was tested.
        failed = any(one.tests is not None and one.tests.failed for one in of_tests)
        return [*reports, *without, *(of_tests if record.plan.job_type is JobType.TEST and not failed else [])]
    return [*reports, *without, *of_tests]


def outputs_of(box: BoxRecord) -> dict[int, Output]:
    """Returns: what each step of the box printed, as clean text, in their order."""
    return {index: _output(kept) for index, kept in box.outputs.items()}


def text_of(output: Output) -> str:
    """Returns: all that is kept of it; what was left out stood at the end of a line."""
    return f"{output.head}{output.tail}"


def _output(kept: HeadTail) -> Output:
    head, tail = (without_our_paths(decode(part)) for part in (kept.head, kept.tail))
    return Output(head=head, tail=tail, dropped_bytes=kept.left_out)


def _report(path: str, reader: str, record: Record, warnings: list[str]) -> Findings:
    content = record.reports.get(path)
    if content is None:
        return Findings()
    advisory = any(path in planned.reports for planned in record.plan.steps if planned.advisory)
    try:
        found = REPORT_READERS[reader](content)
        return _as_advice(found) if advisory else found
    except Unreadable as error:
        warnings.append(f"the report {path} cannot be read: {str(error)[:200]}")
        return Findings()


def _as_advice(found: Findings) -> Findings:
    """Returns: the same, as warnings; what keeps a file from being read at all stays an error."""
    advice = (one if one.code in _SYNTAX else attrs.evolve(one, severity=Severity.WARNING) for one in found.diagnostics)
    return attrs.evolve(found, diagnostics=tuple(advice))
