"""A runner that is told to stop has its grace; then its job is put back. What it hears in its grace still counts."""

from __future__ import annotations

import asyncio

from chef_supervisor.domain.job import Claim, Fence, JobStatus
from chef_supervisor.protocol import EndRun, LeaseLost
from tests.kit.fake_sandbox import endless
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, settle, virtual
from tests.unit.actors.runner_bench import DROPPED_WITHIN_S, GRACE_S, RENEW_S, Bench, bench, failing


@virtual
async def test_a_runner_told_to_stop_goes_on_for_its_grace() -> None:
    it = bench()
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()

    assert it.state(claim).status is JobStatus.COMPLETED


@virtual
async def test_a_runner_told_to_stop_puts_its_job_back_when_its_grace_is_over() -> None:
    it = bench(endless)
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        began_s = now_s()

    assert (it.state(claim).status, it.state(claim).runs) == (JobStatus.PENDING, 0)
    assert not it.sandbox.open
    assert GRACE_S <= now_s() - began_s < GRACE_S + 1


@virtual
async def test_a_job_is_put_back_also_where_its_box_ends_slowly() -> None:
    it = bench(endless)
    it.sandbox.cleanup_s = 8.0
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()

    assert it.state(claim).status is JobStatus.PENDING


@virtual
async def test_a_stop_while_an_end_cannot_be_told_gives_up_after_the_grace() -> None:
    it = bench(failing)
    claim = await it.claimed(attempts=2)
    it.store.away = True

    async with it.running(claim):
        await until(lambda: it.store.calls.get("postpone", 0) == 2)
        began_s = now_s()

    assert now_s() - began_s < GRACE_S + 1
    assert it.store.calls["release"] == 1


@virtual
async def test_a_lease_lost_during_the_grace_of_a_stop_ends_the_box_at_once() -> None:
    it = bench(endless)
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        await asyncio.sleep(RENEW_S - 0.1)
        it.store.jobs[claim.job_id].fence = Fence(claim.fence.run + 1, "somebody else")
        stopped_s = now_s()

    assert now_s() - stopped_s <= DROPPED_WITHIN_S
    assert "release" not in it.store.calls


@virtual
async def test_a_run_that_is_cancelled_during_the_grace_of_a_stop_ends_at_once() -> None:
    it = bench(endless)
    claim = await it.claimed()

    async with asyncio.TaskGroup() as group, it.running(claim):
        await it.sandbox.started.wait()
        stopped_s = now_s()
        # It is told when its stop has begun.
        group.create_task(_tell_later(it, claim))

    assert 1.0 <= now_s() - stopped_s <= 1.0 + DROPPED_WITHIN_S
    assert "release" not in it.store.calls


async def _tell_later(it: Bench, claim: Claim) -> None:
    await asyncio.sleep(1.0)
    it.runner.tell_nowait(EndRun(claim.run))


@virtual
async def test_a_stop_that_comes_while_a_lost_box_ends_slowly_does_not_tear_it_out_of_its_end() -> None:
    it = bench(endless)
    it.sandbox.cleanup_s = GRACE_S + 2
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        it.runner.tell_nowait(LeaseLost())
        await settle()

    assert not it.sandbox.open
    assert now_s() >= GRACE_S + 2
    assert "release" not in it.store.calls


@virtual
async def test_a_stop_without_redis_ends_the_box_after_the_grace_and_leaves_the_job_to_its_lease() -> None:
    it = bench(endless)
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        it.store.away = True
        await asyncio.sleep(60)
        stopped_s = now_s()

    assert GRACE_S <= now_s() - stopped_s < GRACE_S + 1
    assert not it.sandbox.open
    assert it.state(claim).status is JobStatus.PROCESSING
