"""Callers that give up leave the others and the jobs as they were; closing waits, but not for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim, JobStatus
from chef_supervisor.store.answers import Submitted
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, IN_TIME_S, a_job, many_tasks, submit, works_again
from tests.kit.redis_servers import RedisProcess

pytestmark = pytest.mark.asyncio


async def test_a_storm_of_cancelled_callers_leaves_the_others_their_replies(store: RedisJobStore) -> None:
    jobs = [a_job(payload=f"{number}".encode()) for number in range(500)]
    with many_tasks():
        kept = [asyncio.ensure_future(store.submit(job)) for job in jobs]
        doomed = [asyncio.ensure_future(store.submit(a_job("doomed", priority=1))) for _ in range(1000)]
        reads = [asyncio.ensure_future(store.read((await kept[0]).state.job_id)) for _ in range(200)]
        for number, task in enumerate(doomed):
            task.cancel()
            if number % 100 == 0:  # some before they were sent, some after, some when the reply is there
                await asyncio.sleep(0)
        ends = await asyncio.gather(*kept, *reads, *doomed, return_exceptions=True)

    accepted, shown, rest = ends[:500], ends[500:700], ends[700:]
    assert [one.state.job_id for one in accepted if isinstance(one, Submitted)] == [job.job_id for job in jobs]
    assert all(state == shown[0] for state in shown)
    assert all(isinstance(end, asyncio.CancelledError | Submitted) for end in rest)
    claims: list[Claim] = []
    while taken := await store.claim(BUILDS, 250):
        claims += taken
    payloads = {claim.job_id: claim.payload for claim in claims}
    assert all(payloads[job.job_id] == job.payload for job in jobs)


async def test_a_cancelled_claim_puts_its_jobs_back(store: RedisJobStore) -> None:
    """Whether its flight had left or even landed: no job waits for a lease to run out, and no run is burnt."""
    jobs = await submit(store, *(a_job() for _ in range(20)))
    for turns in range(12):
        claim = asyncio.ensure_future(store.claim(BUILDS, 20))
        for _ in range(turns):
            await asyncio.sleep(0)
        claim.cancel()
        [end] = await asyncio.gather(claim, return_exceptions=True)
        if not isinstance(end, asyncio.CancelledError):
            break
        await everything_landed(store)

        claims = await store.claim(BUILDS, 20)
        assert [claim.job_id for claim in claims] == jobs
        assert {claim.runs for claim in claims} == {1}
        for taken in claims:
            await store.release(taken.job_id, taken.fence)


async def test_closing_waits_for_what_is_under_way(make_store: Callable[..., RedisJobStore]) -> None:
    closing, other = make_store(), make_store()
    job = a_job()
    submitting = asyncio.ensure_future(closing.submit(job))
    await asyncio.sleep(0)

    await closing.close()

    assert (await submitting).state.job_id == job.job_id
    assert (await other.read(job.job_id)).status is JobStatus.PENDING


async def test_closing_does_not_wait_for_a_server_that_hangs(own_redis: RedisProcess, own_store: RedisJobStore) -> None:
    await works_again(own_store)
    own_redis.pause()
    submitting = asyncio.ensure_future(own_store.submit(a_job()))
    await asyncio.sleep(0)

    began = time.monotonic()
    await own_store.close()

    assert time.monotonic() - began < IN_TIME_S
    with pytest.raises(StoreUnavailable):
        await submitting


async def everything_landed(store: RedisJobStore) -> None:
    for batcher in store._at(BUILDS).batchers():
        await batcher.close()
