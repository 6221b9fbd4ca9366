"""Reports and output of a record become tests, diagnostics and warnings. What cannot be read is a warning."""

from __future__ import annotations

import attrs

from chef_supervisor.domain.outcome import Diagnostic, Output, Severity, TestCounts
from chef_supervisor.engine.headtail import HeadTail
from chef_supervisor.engine.readers import OUTPUT_READERS, REPORT_READERS
from chef_supervisor.engine.readers.findings import Findings, bounded
from chef_supervisor.engine.record import Record, report_readers
from chef_supervisor.engine.shapes import Unreadable
from chef_supervisor.engine.text import decode, without_our_paths

# A line longer than this is no finding but minified code.
_LONGEST_LINE = 4000


@attrs.frozen(kw_only=True)
class Reading:
    """All that was read."""

    tests: TestCounts | None
    diagnostics: tuple[Diagnostic, ...]
    output: Output
    warnings: tuple[str, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(one.severity is Severity.ERROR for one in self.diagnostics)


def read(record: Record, kept: HeadTail) -> Reading:
    """Returns: what the reports and the given output say."""
    warnings: list[str] = []
    found = [_report(path, reader, record, warnings) for path, reader in report_readers(record.plan).items()]
    output = output_of(kept, record)
    lines = [line for line in f"{output.head}{output.tail}".splitlines() if len(line) <= _LONGEST_LINE]
    printed = [one for name in record.plan.output_readers for one in OUTPUT_READERS[name](lines)]
    return Reading(
        tests=next((one.tests for one in found if one.tests is not None), None),
        diagnostics=bounded([*(item for one in found for item in one.diagnostics), *printed]),
        output=output,
        warnings=tuple(warnings),
    )


def output_of(kept: HeadTail, record: Record) -> Output:
    """Returns: the output as clean text; `dropped_bytes` counts what the agent and we left out."""
    box = record.current
    by_agent = box.end.dropped_bytes if box.end is not None else 0
    return Output(
        head=without_our_paths(decode(kept.head)),
        tail=without_our_paths(decode(kept.tail)),
        dropped_bytes=kept.left_out + max(0, by_agent),
    )


def _report(path: str, reader: str, record: Record, warnings: list[str]) -> Findings:
    content = record.reports.get(path)
    if content is None:
        return Findings()
    try:
        return REPORT_READERS[reader](content)
    except Unreadable as error:
        warnings.append(f"the report {path} cannot be read: {str(error)[:200]}")
        return Findings()
