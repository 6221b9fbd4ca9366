"""A job is cancelled from any state, once, and whoever runs it is told."""

from __future__ import annotations

import asyncio

import attrs
import orjson
import pytest

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import JobStatus, new_job_id
from chef_supervisor.store.answers import Blame, JobEvent, Order
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, Clock, a_job, claim_one, let_leases_end, run_jobs, submit

pytestmark = pytest.mark.asyncio


async def kinds(store: RedisJobStore) -> list[str]:
    return [event.kind for event in await store.events(BUILDS, "0-0", 0) if isinstance(event, JobEvent)]


async def test_a_job_that_waits(store: RedisJobStore) -> None:
    [job_id] = await submit(store, a_job())

    state = await store.cancel(job_id)

    assert (state.status, state.cause) == (JobStatus.CANCELLED, "cancelled")
    assert await store.claim(BUILDS, 1) == []
    stats = (await store.stats())[BUILDS]
    assert (stats.waiting, stats.cancelled, stats.failed) == (0, 1, 0)
    result = await store.result(job_id)
    assert result is not None
    assert orjson.loads(result)["cause"] == "cancelled"
    assert await store.orders(BUILDS, "0-0", 0) == []


async def test_a_job_that_is_delayed(store: RedisJobStore, clock: Clock) -> None:
    job_id = (await store.submit(attrs.evolve(a_job(), delay_ms=1_000))).state.job_id

    await store.cancel(job_id)

    clock.pass_ms(1_000)
    assert (await store.reap(BUILDS)).promoted == ()
    assert (await store.read(job_id)).due_at_ms is None


async def test_a_job_that_runs_is_its_runners_no_more(store: RedisJobStore) -> None:
    [job_id] = await submit(store, a_job())
    claim, before = await claim_one(store), await store.orders_tail(BUILDS)
    waiting = asyncio.ensure_future(store.orders(BUILDS, before, 30))
    await asyncio.sleep(0)

    await store.cancel(job_id)

    [order] = await waiting
    assert order == Order(position=order.position, run=claim.run)
    assert await store.orders_tail(BUILDS) == order.position
    assert not await store.renew(job_id, claim.fence)
    assert not await store.progress(job_id, claim.fence, 50)
    assert not await store.finish(job_id, claim.fence, PASSED)
    assert not await store.release(job_id, claim.fence)
    assert (await store.read(job_id)).status is JobStatus.CANCELLED


async def test_a_job_that_is_over_keeps_its_end(store: RedisJobStore) -> None:
    [job_id] = await run_jobs(store, [a_job()])
    before = await store.read(job_id)

    assert await store.cancel(job_id) == before


async def test_a_job_that_nobody_knows(store: RedisJobStore) -> None:
    with pytest.raises(UnknownJob):
        await store.cancel(new_job_id(BUILDS, b"0" * 16))


async def test_twice_is_once(store: RedisJobStore) -> None:
    [job_id] = await submit(store, a_job())

    async with asyncio.TaskGroup() as group:
        ends = [group.create_task(store.cancel(job_id)) for _ in range(20)]

    assert {task.result().status for task in ends} == {JobStatus.CANCELLED}
    assert await kinds(store) == ["job.pending", "job.cancelled"]


async def test_cancel_against_finish_has_one_winner(store: RedisJobStore) -> None:
    for _ in range(50):
        [job_id] = await submit(store, a_job())
        claim = await claim_one(store)

        async with asyncio.TaskGroup() as group:
            cancelled = group.create_task(store.cancel(job_id))
            finished = group.create_task(store.finish(job_id, claim.fence, PASSED))

        status = (await store.read(job_id)).status
        assert status is (JobStatus.COMPLETED if finished.result() else JobStatus.CANCELLED)
        assert cancelled.result().status is status
    ends = [kind for kind in await kinds(store) if kind in {"job.completed", "job.cancelled"}]
    assert len(ends) == 50


async def test_what_is_cancelled_is_neither_reaped_nor_postponed(store: RedisJobStore, clock: Clock) -> None:
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)
    await store.cancel(job_id)

    assert await store.postpone(job_id, claim.fence, Blame.PROJECT, "it failed", 0) == "fenced"
    assert (await let_leases_end(store, clock)).requeued == ()
    assert (await store.read(job_id)).status is JobStatus.CANCELLED
