"""Which ends may stand for other jobs, and what those are told."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.analysis import Analysis, Answer, Vulnerabilities
from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.engine.result_cache import may_stand_for_others, remembered_for_another

ORIGINAL = JobId("tests.0_" + "a" * 26)


def ended(status: JobStatus, cause: Cause | None = None, **fields: object) -> Outcome:
    result = Result(verdict=Verdict.FAILED, cause=cause, **fields)  # type: ignore[arg-type] # the callers' names
    return Outcome(status=status, result=result)


@pytest.mark.parametrize(
    "outcome",
    [ended(JobStatus.COMPLETED), ended(JobStatus.COMPLETED, Cause.EXIT), ended(JobStatus.FAILED, Cause.EXIT)],
    ids=["completed", "completed with findings", "failed by its own exit"],
)
def test_an_end_of_the_works_own_may_stand_for_others(outcome: Outcome) -> None:
    assert may_stand_for_others(outcome)


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.EXIT])
def test_a_failure_that_the_same_work_need_not_meet_again_stands_for_itself(cause: Cause) -> None:
    assert not may_stand_for_others(ended(JobStatus.FAILED, cause))


@pytest.mark.parametrize("status", [JobStatus.TIMEOUT, JobStatus.CANCELLED])
def test_what_was_cut_off_stands_for_itself(status: JobStatus) -> None:
    assert not may_stand_for_others(ended(status, Cause.EXIT))


@pytest.mark.parametrize("status", list(Answer))
def test_an_analysis_that_a_registry_did_not_answer_stands_for_itself(status: Answer) -> None:
    analysis = Analysis(vulnerabilities=Vulnerabilities(status=status))

    assert may_stand_for_others(ended(JobStatus.COMPLETED, analysis=analysis)) is (status is Answer.KNOWN)


def test_a_result_given_again_says_so_and_is_not_remembered_once_more() -> None:
    outcome = ended(JobStatus.FAILED, Cause.EXIT, message="1 test failed.", warnings=("node is old",))

    again = remembered_for_another(outcome, ORIGINAL)

    assert (again.status, again.result.message, again.result.cached_from) == (
        JobStatus.FAILED,
        "1 test failed.",
        ORIGINAL,
    )
    said, *others = again.result.warnings
    assert ORIGINAL in said
    assert others == ["node is old"]
    assert not may_stand_for_others(again)


def test_warnings_stay_within_their_bound() -> None:
    outcome = ended(JobStatus.COMPLETED, warnings=tuple(map(str, range(50))))

    again = remembered_for_another(outcome, ORIGINAL)

    assert len(again.result.warnings) == 50
    assert ORIGINAL in again.result.warnings[0]
