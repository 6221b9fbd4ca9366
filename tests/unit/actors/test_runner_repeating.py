"""What a runner does with a run that is to be repeated: whose fault it was decides which count it costs."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.domain.retry import Backoff, BackoffKind
from chef_supervisor.ending import Ending
from chef_supervisor.store.answers import Blame, Postponed
from tests.kit.fake_sandbox import killed, passing
from tests.kit.fake_store import FakeStore
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.runner_bench import Bench, bench, failing, timing_out

SLOW = Backoff(kind=BackoffKind.EXPONENTIAL, delay_ms=10_000, max_ms=15_000)


async def run_through(it: Bench, claim: Claim) -> None:
    async with it.running(claim):
        await it.until_gone()


def due_in_s(it: Bench, claim: Claim) -> float:
    due = it.store.jobs[claim.job_id].due
    assert due is not None
    return due - now_s()


@virtual
async def test_a_project_with_three_attempts_may_fail_twice() -> None:
    it = bench(failing, timing_out, passing)
    claim = await it.claimed(attempts=3)

    for _ in range(2):
        await run_through(it, claim)
        claim = await it.claim()
    await run_through(it, claim)

    state = it.state(claim)
    assert (state.status, state.runs, state.failures) == (JobStatus.COMPLETED, 3, 2)
    assert it.store.calls["postpone"] == 2


@virtual
async def test_the_last_attempt_of_a_project_is_its_outcome() -> None:
    it = bench(failing)
    claim = await it.claimed(attempts=2)

    await run_through(it, claim)
    waiting = it.state(claim).status
    await run_through(it, await it.claim())

    assert waiting is JobStatus.PENDING
    assert (it.state(claim).status, it.state(claim).cause) == (JobStatus.FAILED, "exit")


@virtual
async def test_a_failure_that_was_recalled_costs_no_further_attempts() -> None:
    it = bench()
    claim = await it.claimed(attempts=3)
    ending = Ending(claim=claim, store=it.store, chance=lambda: 0.0)
    recalled = Result(verdict=Verdict.FAILED, cause=Cause.EXIT, cached_from="tests.0_" + "b" * 26)

    await ending.came_out(Outcome(status=JobStatus.FAILED, result=recalled))

    assert it.state(claim).status is JobStatus.FAILED
    assert "postpone" not in it.store.calls


@virtual
async def test_a_project_has_one_attempt_where_nothing_is_said() -> None:
    it = bench(timing_out)
    claim = await it.claimed()

    await run_through(it, claim)

    assert it.state(claim).status is JobStatus.TIMEOUT
    assert "postpone" not in it.store.calls


@virtual
async def test_a_project_that_failed_waits_as_its_job_says_less_what_chance_takes() -> None:
    it = bench(failing)
    it.chance = 1.0
    claim = await it.claimed(attempts=5, backoff=SLOW)
    waits_s = []

    for _ in range(3):
        await run_through(it, claim)
        waits_s.append(due_in_s(it, claim))
        claim = await it.claim()

    assert waits_s == pytest.approx([5.0, 7.5, 7.5], abs=0.1)


@virtual
async def test_a_box_killed_while_the_sandbox_is_well_costs_a_run_and_no_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    it = bench(killed, passing)
    claim = await it.claimed()

    await run_through(it, claim)
    state = it.state(claim)
    waits_s = due_in_s(it, claim)
    await run_through(it, await it.claim())

    assert (state.status, state.runs, state.failures) == (JobStatus.PENDING, 1, 0)
    assert waits_s == pytest.approx(1.0, abs=0.1)
    assert it.state(claim).status is JobStatus.COMPLETED
    told = [getattr(record, "event", "") for record in caplog.records if record.name == "chef.runner"]
    assert told == ["job.spoilt", "job.retrying", "job.completed"]


@virtual
async def test_a_job_that_infrastructure_ruins_again_and_again_is_poisoned(caplog: pytest.LogCaptureFixture) -> None:
    it = bench(killed)
    claim = await it.claimed()
    waits_s = []

    for _ in range(3):
        await run_through(it, claim)
        waits_s.append(due_in_s(it, claim))
        claim = await it.claim()
    await run_through(it, claim)

    assert (it.state(claim).status, it.state(claim).cause) == (JobStatus.FAILED, "poisoned")
    assert waits_s == pytest.approx([1.0, 2.0, 4.0], abs=0.1)
    assert getattr(caplog.records[-1], "event", "") == "job.failed"


@virtual
async def test_ruined_runs_and_failures_are_counted_apart() -> None:
    it = bench(killed, killed, failing, killed, passing)
    claim = await it.claimed(attempts=2)
    waits_s = []

    for _ in range(4):
        await run_through(it, claim)
        waits_s.append(due_in_s(it, claim))
        claim = await it.claim()
    await run_through(it, claim)

    state = it.state(claim)
    assert (state.status, state.runs, state.failures) == (JobStatus.COMPLETED, 5, 1)
    assert waits_s == pytest.approx([1.0, 2.0, 1.0, 4.0], abs=0.1)


@virtual
async def test_a_job_whose_sandbox_is_away_is_put_back_without_burning_the_run() -> None:
    it = bench()
    it.sandbox.away = True
    claim = await it.claimed()

    await run_through(it, claim)

    assert (it.state(claim).status, it.state(claim).runs) == (JobStatus.PENDING, 0)
    assert "postpone" not in it.store.calls


@virtual
async def test_a_run_to_be_repeated_is_kept_until_the_store_is_back() -> None:
    it = bench(failing)
    claim = await it.claimed(attempts=2)
    it.store.away = True

    async with it.running(claim):
        await until(lambda: it.store.calls.get("postpone", 0) == 3)
        it.store.away = False
        await it.until_gone()

    assert (it.state(claim).status, it.state(claim).failures) == (JobStatus.PENDING, 1)


@virtual
async def test_a_job_that_was_cancelled_meanwhile_is_not_run_again(caplog: pytest.LogCaptureFixture) -> None:
    it = bench(failing)
    claim = await it.claimed(attempts=2)
    await it.store.cancel(claim.job_id)

    await run_through(it, claim)

    assert it.state(claim).status is JobStatus.CANCELLED
    assert getattr(caplog.records[-1], "event", "") == "job.fenced"


@attrs.define(eq=False)
class Forgetful(FakeStore):
    """Does what it is asked, and so often nobody hears of it."""

    lose_replies: int = 5

    async def postpone(self, job_id: JobId, fence: Fence, blame: Blame, reason: str, delay_ms: int) -> Postponed:
        answer = await super().postpone(job_id, fence, blame, reason, delay_ms)
        if self.lose_replies:
            self.lose_replies -= 1
            raise StoreUnavailable("the reply was lost")
        return answer


@virtual
async def test_a_lease_lost_to_its_own_end_does_not_cut_that_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    it = Bench(store=Forgetful())
    it.sandbox.plays = [failing]
    claim = await it.claimed(attempts=2)

    await run_through(it, claim)

    told = [getattr(record, "event", "") for record in caplog.records if record.name == "chef.runner"]
    assert it.store.calls["renew"] >= 1
    assert told[-1] == "job.retrying"
    assert it.state(claim).failures == 1
