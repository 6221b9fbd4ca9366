"""A runner whose job is somebody else's, or over, ends its box within a second and changes nothing; no other does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chef_supervisor.domain.job import Claim, Fence, JobStatus
from chef_supervisor.domain.work import BoxEvent, StepStarted, Work
from chef_supervisor.protocol import EndRun, LeaseLost
from tests.kit.fake_sandbox import endless, passing
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.runner_bench import DROPPED_WITHIN_S, RENEW_S, Bench, bench


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "event", "") for record in caplog.records if record.name == "chef.runner"]


def lose_to_another(it: Bench, claim: Claim) -> None:
    it.store.jobs[claim.job_id].fence = Fence(claim.fence.run + 1, "somebody else")


@virtual
async def test_the_lease_is_renewed_while_the_job_runs() -> None:
    it = bench(endless)
    claim = await it.claimed()

    async with it.running(claim):
        await until(lambda: it.store.calls.get("renew", 0) == 3)
        took_s = now_s()

    assert 3 * RENEW_S <= took_s < 4 * RENEW_S


@virtual
async def test_a_fenced_run_ends_its_box_by_the_next_renewal_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    it = bench(endless)
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        lose_to_another(it, claim)
        await until(lambda: not it.sandbox.open)
        took_s = now_s()
        await it.until_gone()

    assert took_s <= RENEW_S + DROPPED_WITHIN_S
    assert not {"release", "finish", "postpone"} & it.store.calls.keys()
    assert it.state(claim).status is JobStatus.PROCESSING
    assert events(caplog) == ["job.fenced"]


@virtual
async def test_a_run_that_hears_of_its_lost_lease_ends_its_box_within_a_second() -> None:
    it = bench(endless)
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        heard_s = now_s()
        it.runner.tell_nowait(LeaseLost())
        await until(lambda: not it.sandbox.open)

        assert now_s() - heard_s <= DROPPED_WITHIN_S


@virtual
async def test_a_cancelled_run_ends_its_box_within_a_second_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    it = bench(endless)
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        await it.store.cancel(claim.job_id)
        heard_s = now_s()
        it.runner.tell_nowait(EndRun(claim.run))
        await until(lambda: not it.sandbox.open)
        took_s = now_s() - heard_s
        await it.until_gone()

    assert took_s <= DROPPED_WITHIN_S
    assert it.state(claim).status is JobStatus.CANCELLED
    assert not {"release", "finish", "postpone"} & it.store.calls.keys()
    assert events(caplog) == ["job.cancelled"]


@virtual
async def test_a_box_outlives_ten_minutes_without_redis_and_its_outcome_is_recorded() -> None:
    gate = asyncio.Event()

    async def gated(work: Work) -> AsyncIterator[BoxEvent]:
        yield StepStarted(0)
        await gate.wait()
        async for event in passing(work):
            yield event

    it = bench(gated)
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        it.store.away = True
        await asyncio.sleep(600)
        still_open = set(it.sandbox.open)
        gate.set()
        await asyncio.sleep(60)
        it.store.away = False
        status = await it.until_over(claim.job_id)

    assert f"chef-{claim.job_id}-1" in still_open
    assert status is JobStatus.COMPLETED
    assert len(it.sandbox.orders) == 1


@virtual
async def test_a_finish_whose_reply_was_lost_is_not_cut_off_by_the_lease_it_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    it = bench()
    it.store.lose_finish_replies = 5
    claim = await it.claimed()

    async with it.running(claim):
        await until(lambda: it.store.lose_finish_replies == 0)
        await asyncio.sleep(2)

    assert it.store.calls["renew"] >= 1
    assert events(caplog)[-1] == "job.completed"
    assert "job.fenced" not in events(caplog)
