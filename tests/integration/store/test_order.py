"""
Which job is next.

Priority first; among equals the tenants take turns: a job's turn is the larger of the turn last claimed and the
tenant's own last turn + 1. For submissions A1 A2 A3 B1, one claim, then C1, B2:

| event      | turn                                  | waiting afterwards, next first |
|------------|---------------------------------------|--------------------------------|
| A1, A2, A3 | 0, 1, 2                               | A1 A2 A3                       |
| B1         | 0 (nothing claimed yet)               | A1 B1 A2 A3                    |
| claim: A1  | last claimed is 0                     | B1 A2 A3                       |
| C1         | 0                                     | B1 C1 A2 A3                    |
| B2         | 1 (B's last is 0)                     | B1 C1 A2 B2 A3                 |
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
import redis

from chef_supervisor.domain.job import JobId
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, LINT, a_job, claim_one, submit, submit_together

pytestmark = pytest.mark.asyncio


async def claimed(store: RedisJobStore, slots: int = 100) -> list[JobId]:
    return [claim.job_id for claim in await store.claim(BUILDS, slots)]


async def test_larger_priorities_are_claimed_first(store: RedisJobStore) -> None:
    low, normal, critical, high = await submit(store, *(a_job(priority=priority) for priority in (1, 5, 20, 10)))

    assert await claimed(store) == [critical, high, normal, low]


async def test_one_tenant_alone_is_plain_fifo(store: RedisJobStore) -> None:
    first = await submit(store, *(a_job() for _ in range(5)))
    begun = await claimed(store, 2)
    second = await submit(store, *(a_job() for _ in range(3)))

    assert begun + await claimed(store) == first + second


async def test_tenants_of_equal_priority_take_turns(store: RedisJobStore) -> None:
    """The table above."""
    a1, a2, a3, b1 = await submit(store, a_job("a"), a_job("a"), a_job("a"), a_job("b"))
    assert await claimed(store, 1) == [a1]
    c1, b2 = await submit(store, a_job("c"), a_job("b"))

    assert await claimed(store) == [b1, c1, a2, b2, a3]


async def test_a_tenant_with_a_thousand_jobs_does_not_hold_up_one_with_one(store: RedisJobStore) -> None:
    await submit_together(store, [a_job("greedy") for _ in range(1000)])
    await store.claim(BUILDS, 100)
    [modest] = await submit(store, a_job("modest"))

    # At most the greedy tenant's one job of the same turn is before it.
    assert modest in await claimed(store, 2)


async def test_turns_of_one_priority_do_not_count_in_another(store: RedisJobStore) -> None:
    await submit(store, *(a_job("a", priority=20) for _ in range(10)))
    await store.claim(BUILDS, 10)
    a, b = await submit(store, a_job("a", priority=5), a_job("b", priority=5))

    assert await claimed(store) == [a, b]


async def test_a_job_put_back_keeps_its_place(store: RedisJobStore) -> None:
    first, second, third = await submit(store, a_job("a"), a_job("b"), a_job("a"))
    claims = await store.claim(BUILDS, 2)

    for claim in reversed(claims):
        assert await store.release(claim.job_id, claim.fence)

    assert await claimed(store) == [first, second, third]


async def test_never_more_than_slots_are_claimed(store: RedisJobStore) -> None:
    jobs = await submit(store, *(a_job() for _ in range(7)))

    assert await claimed(store, 0) == []
    assert await claimed(store, 3) == jobs[:3]
    assert await claimed(store, 9) == jobs[3:]
    assert await claimed(store, 9) == []


async def test_concurrent_claims_share_the_jobs_without_overlap(store: RedisJobStore) -> None:
    jobs = await submit(store, *(a_job() for _ in range(40)))

    async with asyncio.TaskGroup() as group:
        claims = [group.create_task(store.claim(BUILDS, 3)) for _ in range(20)]

    taken = [claim.job_id for task in claims for claim in task.result()]
    assert all(len(task.result()) <= 3 for task in claims)
    assert sorted(taken) == sorted(jobs)


async def test_a_claim_stops_before_its_payloads_are_too_many_for_one_reply(store: RedisJobStore) -> None:
    """64 payloads of 32 kB are 2 MiB; what is left stays claimable, in order."""
    jobs = [a_job(payload=bytes([index]) + random_bytes(32_000)) for index in range(64)]
    await submit(store, *jobs)

    first = await store.claim(BUILDS, 64)
    second = await store.claim(BUILDS, 64)

    assert 0 < len(first) < 64
    assert [claim.payload for claim in [*first, *second]] == [job.payload for job in jobs]


async def test_queues_do_not_see_each_other(store: RedisJobStore) -> None:
    await submit(store, a_job(queue=LINT))

    assert await claimed(store) == []
    assert (await claim_one(store, LINT)).runs == 1


async def test_turns_of_tenants_that_are_behind_are_forgotten(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    """Each claim sweeps a little; some hundreds of entries are not worth it, and one that is ahead stays."""
    turns = f"{prefix}:{{builds.0}}:turns"
    known: dict[Any, Any] = {f"t:5:tenant-{index}": 3 for index in range(3000)}
    raw.hset(turns, mapping=known | {"p:5": 4, "t:5:ahead": 900})

    for _ in range(60):
        await submit(store, a_job("a"))
        await claim_one(store)

    assert raw.hlen(turns) <= 1100
    assert raw.hget(turns, "t:5:ahead") == b"900"


def random_bytes(count: int) -> bytes:
    """Bytes that do not compress."""
    return random.Random(count).randbytes(count)
