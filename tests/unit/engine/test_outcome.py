from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Artifact, Cause, Outcome, StepStatus, Verdict
from chef_supervisor.domain.work import ArtifactData, BoxEnded, BoxEvent, EndedBy, StepOutput, StepStarted
from chef_supervisor.engine.outcome import outcome_of
from chef_supervisor.engine.record import Record
from tests.kit import sample_projects
from tests.unit.engine.samples import box, capture, planned


def outcome(
    job_type: JobType,
    events: list[BoxEvent],
    files: dict[str, str] | None = None,
    install: list[BoxEvent] | None = None,
) -> Outcome:
    plan = planned(job_type, files or sample_projects.load("web"))
    record = Record(plan)
    for event in [*(box(exits=(0,)) if install is None else install), *events]:
        record.add(event)
    return outcome_of(plan, record)


def test_a_build_that_passes() -> None:
    whole = Artifact(path="dist/index.html", bytes=3, sha256="0" * 64)
    made = ArtifactData(path=whole.path, chunk=b"abc", whole=whole)

    found = outcome(JobType.BUILD, [made, *box(exits=(0,), output=b"built")])

    assert (found.status, found.result.verdict, found.result.cause) == (JobStatus.COMPLETED, Verdict.PASSED, None)
    assert [one.path for one in found.result.artifacts] == ["dist/index.html"]
    assert [(step.name, step.status) for step in found.result.steps] == [
        ("install", StepStatus.PASSED),
        ("build", StepStatus.PASSED),
    ]
    assert found.result.message == "The build passed."


def test_a_build_that_fails_tells_the_compilers_message() -> None:
    found = outcome(JobType.BUILD, box(exits=(2,), output=capture("tsc7.txt")))

    assert (found.status, found.result.verdict, found.result.cause) == (JobStatus.FAILED, Verdict.FAILED, Cause.EXIT)
    assert found.result.message.startswith("The build failed at src/clock.ts:4: 'rest' is declared")
    assert "\nsrc/clock.ts\n  4:9 error TS6133 'rest' is declared" in found.result.summary


def test_a_build_that_fails_without_a_finding_tells_how_it_ended() -> None:
    found = outcome(JobType.BUILD, box(exits=(3,), output=b"all is lost"))

    assert found.result.message == "The build failed: build ended with exit code 3."
    assert "all is lost" in found.result.summary


def test_a_step_ended_by_a_signal_fails() -> None:
    found = outcome(JobType.BUILD, box(exits=(None,), ended_by=EndedBy.KILLED))

    assert (found.status, found.result.cause) == (JobStatus.FAILED, Cause.EXIT)
    assert "was ended by a signal" in found.result.message


@pytest.mark.parametrize(
    ("ended_by", "status", "cause"),
    [
        (EndedBy.TIMEOUT, JobStatus.TIMEOUT, Cause.TIMEOUT),
        (EndedBy.OOM, JobStatus.FAILED, Cause.OOM),
        (EndedBy.DISK_FULL, JobStatus.FAILED, Cause.DISK_FULL),
        (EndedBy.PIDS, JobStatus.FAILED, Cause.PIDS),
    ],
)
@pytest.mark.parametrize("complete", [True, False])
def test_a_limit_is_the_cause_and_the_output_so_far_is_kept(
    ended_by: EndedBy, status: JobStatus, cause: Cause, *, complete: bool
) -> None:
    said: list[BoxEvent] = [StepStarted(0), StepOutput(0, b"so far"), BoxEnded(complete=False, ended_by=ended_by)]
    events = box(exits=(None,), output=b"so far", ended_by=ended_by) if complete else said

    found = outcome(JobType.BUILD, events)

    assert (status, Verdict.FAILED, cause) == (found.status, found.result.verdict, found.result.cause)
    assert "so far" in found.result.output.head
    assert found.result.steps[-1].status is (StepStatus.TIMEOUT if cause is Cause.TIMEOUT else StepStatus.FAILED)
    assert "The step build" in found.result.message


def test_a_box_ended_from_outside_is_infrastructure() -> None:
    found = outcome(JobType.BUILD, [BoxEnded(complete=False, ended_by=EndedBy.KILLED)])

    assert (found.status, found.result.cause) == (JobStatus.FAILED, Cause.INFRASTRUCTURE)
    assert found.result.steps[-1].status is StepStatus.SKIPPED


@pytest.mark.parametrize(
    ("install", "cause"),
    [
        (box(exits=(1,), output=b"npm error 404"), Cause.INSTALL_FAILED),
        (box(exits=(None,), output=b"npm error 404", ended_by=EndedBy.TIMEOUT), Cause.INSTALL_FAILED),
        (box(exits=(None,), output=b"npm error 404", ended_by=EndedBy.OOM), Cause.OOM),
        (
            [StepStarted(0), StepOutput(0, b"npm error 404"), BoxEnded(complete=False, ended_by=EndedBy.KILLED)],
            Cause.INFRASTRUCTURE,
        ),
    ],
)
def test_an_install_that_fails_tells_what_its_tool_said(install: list[BoxEvent], cause: Cause) -> None:
    found = outcome(JobType.BUILD, [], install=install)

    assert (JobStatus.FAILED, cause) == (found.status, found.result.cause)
    assert "npm error 404" in found.result.output.head
    assert "npm error 404" in found.result.summary
    assert [step.status for step in found.result.steps if step.name == "build"] == [StepStatus.SKIPPED]


def test_failing_tests_are_named() -> None:
    report = {".chef/vitest.json": capture("vitest5-fail.json")}

    found = outcome(JobType.TEST, box(exits=(1,), reports=report))

    assert (found.status, found.result.verdict, found.result.cause) == (JobStatus.FAILED, Verdict.FAILED, Cause.EXIT)
    assert found.result.message == "1 of 6 tests failed."
    assert "FAIL src/clock.test.ts > clock > shows minutes and seconds" in found.result.summary
    assert "at src/clock.test.ts:6:23" in found.result.summary


def test_a_report_of_failures_beats_an_exit_code_of_0() -> None:
    found = outcome(JobType.TEST, box(exits=(0,), reports={".chef/vitest.json": capture("vitest5-fail.json")}))

    assert found.result.verdict is Verdict.FAILED


def test_passing_tests_with_an_exit_code_that_is_not_0_fail() -> None:
    report = {".chef/vitest.json": b'{"testResults": [{"assertionResults": [{"status": "passed"}]}]}'}

    found = outcome(JobType.TEST, box(exits=(1,), reports=report, output=b"coverage is too low"))

    assert found.status is JobStatus.FAILED
    assert "coverage is too low" in found.result.summary


@pytest.mark.parametrize("code", [0, 1])
def test_a_runner_that_found_no_tests_is_skipped(code: int) -> None:
    report = {".chef/vitest.json": capture("vitest5-none.json")}

    found = outcome(JobType.TEST, box(exits=(code,), reports=report, output=capture("vitest5-none.txt")))

    expected = (JobStatus.COMPLETED, Verdict.SKIPPED, Cause.NO_TESTS)
    assert expected == (found.status, found.result.verdict, found.result.cause)


def test_one_test_is_told_of_in_the_singular() -> None:
    report = {".chef/vitest.json": b'{"testResults": [{"assertionResults": [{"status": "passed"}]}]}'}

    found = outcome(JobType.TEST, box(exits=(0,), reports=report))

    assert found.result.message == "The only test that ran passed."


def test_a_limit_that_a_later_step_ran_into_is_the_cause() -> None:
    found = outcome(JobType.ANALYZE, box(exits=(0, 0, 1, None), ended_by=EndedBy.TIMEOUT))

    assert (found.status, found.result.cause) == (JobStatus.TIMEOUT, Cause.TIMEOUT)
    assert found.result.message.startswith("The step typecheck tsconfig.node.json did not end")


def test_tests_that_are_all_skipped_pass() -> None:
    report = {".chef/vitest.json": b'{"testResults": [{"assertionResults": [{"status": "pending"}]}]}'}

    found = outcome(JobType.TEST, box(exits=(0,), reports=report))

    assert (found.result.verdict, found.result.message) == (Verdict.PASSED, "Every test was skipped.")


def test_many_failing_tests_are_counted_in_the_summary() -> None:
    case = b'{"status": "failed", "title": "t", "failureMessages": ["no"]}'
    report = {".chef/vitest.json": b'{"testResults": [{"assertionResults": [%s]}]}' % b",".join([case] * 15)}

    found = outcome(JobType.TEST, box(exits=(1,), reports=report))

    assert "... and 5 more failing tests" in found.result.summary


def test_pytest_says_by_its_exit_code_that_there_are_no_tests() -> None:
    found = outcome(JobType.TEST, box(exits=(5,)), sample_projects.load("python"), install=box(exits=(0, 0, 0)))

    assert (found.status, found.result.cause) == (JobStatus.COMPLETED, Cause.NO_TESTS)


def test_a_broken_configuration_is_no_lack_of_tests() -> None:
    report = {".chef/vitest.json": capture("vitest5-none.json")}

    found = outcome(JobType.TEST, box(exits=(1,), reports=report, output=b"failed to load config"))

    assert (found.status, found.result.cause) == (JobStatus.FAILED, Cause.EXIT)


def test_an_unreadable_report_is_a_warning_and_the_exit_code_stands() -> None:
    found = outcome(JobType.TEST, box(exits=(0,), reports={".chef/vitest.json": b"{"}))

    assert (found.status, found.result.verdict) == (JobStatus.COMPLETED, Verdict.PASSED)
    assert [one.partition(": unex")[0].partition(": EOF")[0][:57] for one in found.result.warnings] == [
        "the report .chef/vitest.json cannot be read: no JSON"
    ]


def test_warnings_only_pass() -> None:
    output = b"::warning title=lint/x,file=a.ts,line=1,col=1::careful\n"

    found = outcome(JobType.LINT, box(exits=(0,), output=output))

    assert (found.status, found.result.verdict) == (JobStatus.COMPLETED, Verdict.PASSED)
    assert found.result.message == "The lint check passed, with 1 finding."


def test_analyze_completes_with_what_it_found() -> None:
    found = outcome(JobType.ANALYZE, box(exits=(0, 0, 1, 0, 0), output=capture("tsc7.txt")))

    expected = (JobStatus.COMPLETED, Verdict.FAILED, Cause.EXIT)
    assert expected == (found.status, found.result.verdict, found.result.cause)
    assert "TypeScript: 9 files" in found.result.summary
    assert "TS2322" in found.result.summary


def test_a_step_after_a_failed_one_is_skipped() -> None:
    files = sample_projects.load("python")

    found = outcome(JobType.TEST, [], files, install=box(exits=(1,)))

    assert [one.status for one in found.result.steps] == [StepStatus.FAILED, *3 * [StepStatus.SKIPPED]]


def test_warnings_of_the_box_are_told() -> None:
    end = BoxEnded(complete=True, ended_by=EndedBy.EXIT, warnings=("a child was killed for memory",))

    found = outcome(JobType.BUILD, [*box(exits=(0,))[:-1], end])

    assert found.result.warnings == ("a child was killed for memory",)


def test_a_summary_keeps_to_its_limit_in_bytes() -> None:
    noise = "".join(f"src/ü{n}.ts({n},1): error TS1: {'ü' * 3000}\n" for n in range(1, 150)).encode()

    found = outcome(JobType.BUILD, box(exits=(2,), output=noise))

    assert len(found.result.summary.encode()) <= 4096
    assert "more findings" in attrs.asdict(found.result)["summary"] or found.result.summary.endswith("...")
