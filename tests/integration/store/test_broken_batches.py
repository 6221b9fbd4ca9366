"""What a batch writes once for all its items is written for those that were done, also where another one breaks off."""

from __future__ import annotations

import asyncio

import attrs
import pytest
import redis

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, a_job, submit, submit_together

pytestmark = pytest.mark.asyncio


@pytest.fixture
def base(prefix: str) -> str:
    return f"{prefix}:{{builds.0}}:"


async def test_jobs_that_come_with_one_that_cannot_be_queued_wait_in_their_order(
    store: RedisJobStore, raw: redis.Redis, base: str
) -> None:
    first, bad, last = (a_job() for _ in range(3))
    raw.set(f"{base}job:{bad.job_id}", "not a hash")

    told = await asyncio.gather(*map(store.submit, (first, bad, last)), return_exceptions=True)

    assert isinstance(told[1], Bug)
    assert [claim.job_id for claim in await store.claim(BUILDS, 3)] == [first.job_id, last.job_id]
    assert raw.xlen(f"{base}events") == 4
    assert raw.hget(f"{base}counters", "events") == b"4"


async def test_ends_that_come_with_one_that_cannot_be_stored_are_stored_and_counted(
    store: RedisJobStore, raw: redis.Redis, base: str
) -> None:
    first, bad, last = await submit(store, *(a_job() for _ in range(3)))
    claims = await store.claim(BUILDS, 3)
    raw.set(f"{base}job:{bad}", "not a hash")

    ends = [store.finish(claim.job_id, claim.fence, PASSED) for claim in claims]
    told = await asyncio.gather(*ends, return_exceptions=True)

    assert isinstance(told[1], Bug)
    assert (told[0], told[2]) == (True, True)
    assert raw.zrange(f"{base}active", 0, -1) == [bad.encode()]
    assert set(raw.zrange(f"{base}completed", 0, -1)) == {first.encode(), last.encode()}
    assert raw.hget(f"{base}counters", "total_completed") == b"2"


async def test_of_jobs_that_come_together_the_last_takes_the_place_of_the_others(store: RedisJobStore) -> None:
    jobs = [attrs.evolve(a_job(), supersedes=True) for _ in range(3)]

    await submit_together(store, jobs)

    states = [await store.read(job.job_id) for job in jobs]
    assert [state.status for state in states] == [JobStatus.CANCELLED, JobStatus.CANCELLED, JobStatus.PENDING]
    assert [claim.job_id for claim in await store.claim(BUILDS, 3)] == [jobs[2].job_id]


async def test_jobs_of_one_batch_take_turns_between_tenants(store: RedisJobStore) -> None:
    jobs = [a_job(tenant) for tenant in ("a", "a", "a", "b", "b")]

    await submit_together(store, jobs)

    assert [claim.tenant for claim in await store.claim(BUILDS, 5)] == ["a", "b", "a", "b", "a"]
