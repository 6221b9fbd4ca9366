"""Jobs past their retention: it stays known for a while that they were there, and to nobody but their tenant."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import JobId, Tenant
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, Clock, a_job, run_jobs, submit

pytestmark = pytest.mark.asyncio
A, B = Tenant("a"), Tenant("a b")
KNOWN = 10_000


@pytest.fixture
def store(make_store: Callable[..., RedisJobStore]) -> RedisJobStore:
    """It keeps one job that is over."""
    return make_store(keep_jobs=1)


async def test_a_forgotten_job_is_known_to_its_tenant_alone(store: RedisJobStore, clock: Clock) -> None:
    [old] = await run_jobs(store, [a_job("a b")])
    clock.pass_ms(1)
    [kept] = await run_jobs(store, [a_job("a b")])

    with pytest.raises(UnknownJob):
        await store.original(old)
    assert await store.was_forgotten(old, B)
    assert not await store.was_forgotten(old, A)
    assert not await store.was_forgotten(kept, B)
    assert not await store.was_forgotten(JobId("builds.0_" + "a" * 26), B)


async def test_a_cancelled_job_that_a_pass_forgets_is_known_too(store: RedisJobStore, clock: Clock) -> None:
    first, last = await submit(store, a_job(), a_job())
    for job_id in (first, last):
        await store.cancel(job_id)
        clock.pass_ms(1)

    await store.reap(BUILDS)

    assert await store.was_forgotten(first, A)
    assert not await store.was_forgotten(last, A)


async def test_only_so_many_are_known(store: RedisJobStore, clock: Clock, raw: redis.Redis, prefix: str) -> None:
    forgotten = f"{prefix}:{{builds.0}}:forgotten"
    raw.zadd(forgotten, {f"older {number}": number for number in range(KNOWN)})

    [old] = await run_jobs(store, [a_job()])
    clock.pass_ms(1)
    await run_jobs(store, [a_job()])

    assert raw.zcard(forgotten) == KNOWN
    assert await store.was_forgotten(old, A)
    assert raw.zscore(forgotten, "older 0") is None
    assert raw.zscore(forgotten, "older 1") == 1
