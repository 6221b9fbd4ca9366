"""From plan and record to the outcome of a job: status, verdict, cause, and a sentence that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from chef_supervisor.domain.analysis import Analysis
from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Cause, Outcome, Output, Result, StepResult, StepStatus, TestCounts, Verdict
from chef_supervisor.domain.work import EndedBy
from chef_supervisor.engine.analysis import analysis_of, lines_of
from chef_supervisor.engine.plan import Plan
from chef_supervisor.engine.reading import Reading, outputs_of, read, text_of
from chef_supervisor.engine.record import BoxRecord, Record, needs_retry
from chef_supervisor.engine.summary import summary_of
from chef_supervisor.engine.text import message_of

__all__ = ["needs_retry", "outcome_of"]

_CAUSE: Final = {
    EndedBy.TIMEOUT: Cause.TIMEOUT,
    EndedBy.OOM: Cause.OOM,
    EndedBy.DISK_FULL: Cause.DISK_FULL,
    EndedBy.PIDS: Cause.PIDS,
    EndedBy.OUTPUT_LIMIT: Cause.OUTPUT_LIMIT,
}
_STEP_STATUS: Final = {Cause.TIMEOUT: StepStatus.TIMEOUT}
_BY_LIMIT: Final = {
    Cause.TIMEOUT: "did not end within its time limit",
    Cause.OOM: "needed more memory than it may use",
    Cause.DISK_FULL: "wrote more than its workspace can hold",
    Cause.PIDS: "started more processes than it may",
    Cause.OUTPUT_LIMIT: "printed more than it may",
    Cause.INFRASTRUCTURE: "was ended from outside; the project is not to blame",
}
_ASKED: Final = {
    JobType.BUILD: "The build",
    JobType.TEST: "The test run",
    JobType.LINT: "The lint check",
    JobType.ANALYZE: "The analysis",
}
_MOST_WARNINGS: Final = 50


@attrs.frozen
class _Judgement:
    """What is decided before the result is put together."""

    status: JobStatus
    verdict: Verdict
    cause: Cause | None
    message: str


def outcome_of(plan: Plan, record: Record) -> Outcome:
    """Returns: the outcome. Never raises, whatever the boxes said."""
    box = record.current
    installing = record.install is not None and box is record.install
    reading = read(record)
    judgement = _judge(plan, record, reading)
    installed = outputs_of(record.install) if record.install is not None else {}
    decisive = _of_deciding(box, installed if installing else reading.outputs)
    result = Result(
        verdict=judgement.verdict,
        cause=judgement.cause,
        message=judgement.message,
        toolchain=plan.toolchain,
        steps=(*_steps(record.install, installed), *_steps(record.run, reading.outputs)),
        tests=reading.tests,
        diagnostics=reading.diagnostics,
        artifacts=tuple(record.artifacts.values()),
        output=decisive,
        warnings=_warnings(plan, record, reading),
        analysis=_analysis(plan, record),
    )
    found = "\n".join(lines_of(result.analysis)) if result.analysis is not None else ""
    return Outcome(status=judgement.status, result=attrs.evolve(result, summary=summary_of(result, found)))


def _analysis(plan: Plan, record: Record) -> Analysis | None:
    if plan.analysis is None:
        return None
    failed = "the dependencies could not be installed" if record.install_failed else ""
    return analysis_of(plan.analysis.asked, plan.analysis.readers, record.reports, nothing_ran=failed)


def _of_deciding(box: BoxRecord, outputs: Mapping[int, Output]) -> Output:
    """Returns: what the step printed that decided how the box ended: it ran into a limit, or failed, or was the last."""
    tried = (_limited(box), box.first_failed(), max(box.started, default=None))
    deciding = next((index for index in tried if index is not None), None)
    return outputs.get(deciding, Output()) if deciding is not None else Output()


def _judge(plan: Plan, record: Record, reading: Reading) -> _Judgement:
    if record.refusal:
        return _failed(Cause.INSTALL_FAILED, message_of(record.refusal))
    if record.current is record.install:
        return _judge_install(record.install)
    return _judge_run(plan, record.current, reading)


def _judge_install(box: BoxRecord) -> _Judgement:
    cause = _limit(box)
    if cause is Cause.INFRASTRUCTURE:
        return _failed(cause, f"The install {_BY_LIMIT[cause]}.")
    if cause is not None:
        # A time limit of the install is no time limit of the job: what was asked for never ran.
        reported = Cause.INSTALL_FAILED if cause is Cause.TIMEOUT else cause
        return _failed(reported, f"The install of the dependencies {_BY_LIMIT[cause]}.")
    return _failed(Cause.INSTALL_FAILED, f"The dependencies could not be installed: {_how(box)}.")


def _judge_run(plan: Plan, box: BoxRecord, reading: Reading) -> _Judgement:
    cause = _limit(box)
    if cause is Cause.TIMEOUT:
        return _Judgement(JobStatus.TIMEOUT, Verdict.FAILED, cause, f"{_subject(box)} {_BY_LIMIT[cause]}.")
    if cause is not None:
        return _failed(cause, f"{_subject(box)} {_BY_LIMIT[cause]}.")
    if plan.job_type is JobType.TEST and _no_tests(plan, box, reading):
        return _Judgement(JobStatus.COMPLETED, Verdict.SKIPPED, Cause.NO_TESTS, "The test runner found no tests.")
    failed_tests = reading.tests.failed if reading.tests is not None else 0
    if box.succeeded and not failed_tests:
        return _Judgement(JobStatus.COMPLETED, Verdict.PASSED, None, _praise(plan, reading))
    message = _blame(plan, box, reading, failed_tests)
    if plan.job_type is JobType.ANALYZE:
        # Analyze is asked what there is: finding errors is an answer, the job ran to its end.
        return _Judgement(JobStatus.COMPLETED, Verdict.FAILED, Cause.EXIT, message)
    return _failed(Cause.EXIT, message)


def _failed(cause: Cause, message: str) -> _Judgement:
    return _Judgement(JobStatus.FAILED, Verdict.FAILED, cause, message)


def _limit(box: BoxRecord) -> Cause | None:
    """Returns: the limit that ended a step or the box, `infrastructure` where nobody knows, None where none did."""
    by_steps = (_CAUSE.get(box.ended[index].ended_by) for index in sorted(box.ended))
    if (cause := next(filter(None, by_steps), None)) is not None:
        return cause
    if box.whole:
        return None
    return _CAUSE.get(box.end.ended_by, Cause.INFRASTRUCTURE) if box.end is not None else Cause.INFRASTRUCTURE


def _no_tests(plan: Plan, box: BoxRecord, reading: Reading) -> bool:
    counts = reading.tests
    if counts is not None and counts.passed + counts.failed + counts.skipped:
        return False
    failed = box.first_failed()
    if failed is None:
        return counts is not None
    planned = plan.steps[failed]
    printed = text_of(_of_deciding(box, reading.outputs))
    return box.ended[failed].exit_code in planned.no_tests_exit or any(
        text in printed for text in planned.no_tests_text
    )


def _praise(plan: Plan, reading: Reading) -> str:
    if reading.tests is not None:
        return _praise_tests(reading.tests)
    if reading.diagnostics:
        number = len(reading.diagnostics)
        return f"{_ASKED[plan.job_type]} passed, with {number} {'finding' if number == 1 else 'findings'}."
    return f"{_ASKED[plan.job_type]} passed."


def _praise_tests(tests: TestCounts) -> str:
    match tests.passed:
        case 0:
            return "Every test was skipped."
        case 1:
            return "The only test that ran passed."
        case number:
            return f"All {number} tests passed."


def _blame(plan: Plan, box: BoxRecord, reading: Reading, failed_tests: int) -> str:
    if failed_tests and reading.tests is not None:
        return f"{failed_tests} of {reading.tests.passed + failed_tests} tests failed."
    first = next((one for one in reading.diagnostics if one.severity == "error"), None)
    if first is not None:
        place = f"{first.file}:{first.line}" if first.line else first.file
        more = f" ({reading.errors} errors in all)" if reading.errors > 1 else ""
        return (
            f"{_ASKED[plan.job_type]} failed at {place}: {message_of(first.message.partition(chr(10))[0], 200)}{more}"
        )
    return f"{_ASKED[plan.job_type]} failed: {_how(box)}."


def _how(box: BoxRecord) -> str:
    failed = box.first_failed()
    if failed is None:
        return "no step is to blame"
    name, code = box.work.steps[failed].name, box.ended[failed].exit_code
    return f"{name} ended with exit code {code}" if code is not None else f"{name} was ended by a signal"


def _subject(box: BoxRecord) -> str:
    index = _limited(box)
    return f"The step {box.work.steps[index].name}" if index is not None else "The job"


def _limited(box: BoxRecord) -> int | None:
    limited = [index for index in sorted(box.ended) if box.ended[index].ended_by in _CAUSE]
    return next(iter([*limited, *sorted(box.started - box.ended.keys())]), None)


def _steps(box: BoxRecord | None, outputs: Mapping[int, Output]) -> tuple[StepResult, ...]:
    if box is None:
        return ()
    return tuple(_step(box, index, outputs.get(index)) for index in range(len(box.work.steps)))


def _step(box: BoxRecord, index: int, output: Output | None) -> StepResult:
    ended = box.ended.get(index)
    name = box.work.steps[index].name
    if ended is not None:
        cause = _CAUSE.get(ended.ended_by, Cause.EXIT)
        status = StepStatus.PASSED if box.passed(index) else _STEP_STATUS.get(cause, StepStatus.FAILED)
        return StepResult(name=name, status=status, exit_code=ended.exit_code, ms=max(0, ended.ms), output=output)
    status = _unended(box) if index in box.started else StepStatus.SKIPPED
    return StepResult(name=name, status=status, exit_code=None, ms=0, output=output)


def _unended(box: BoxRecord) -> StepStatus:
    timed_out = box.end is not None and box.end.ended_by is EndedBy.TIMEOUT
    return StepStatus.TIMEOUT if timed_out else StepStatus.FAILED


def _warnings(plan: Plan, record: Record, reading: Reading) -> tuple[str, ...]:
    ends = [box.end for box in (record.install, record.run) if box is not None and box.end is not None]
    said = [message_of(warning, 300) for end in ends for warning in end.warnings[:_MOST_WARNINGS]]
    more = [f"{record.left_out} artifacts were left out"] if record.left_out else []
    return (*plan.warnings, *record.notes, *reading.warnings, *said, *more)[:_MOST_WARNINGS]
