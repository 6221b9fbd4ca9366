"""What is bounded: waiting jobs and bytes, finished jobs by count, age and bytes, and the work of one pass."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import redis

from chef_supervisor.domain.errors import QueueFull, UnknownJob
from chef_supervisor.domain.job import JobId, NewJob
from chef_supervisor.store.answers import QueueStats
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    CANCELLED,
    FAILED,
    LINT,
    PASSED,
    TIMED_OUT,
    Clock,
    a_job,
    claim_one,
    run_jobs,
    submit,
    submit_together,
)

pytestmark = pytest.mark.asyncio
Make = Callable[..., RedisJobStore]


def bytes_job(count: int) -> NewJob:
    """A job that takes as many bytes as said: they do not compress."""
    return a_job(payload=random.Random(count).randbytes(count - 1))


async def known(store: RedisJobStore, job_ids: list[JobId]) -> list[bool]:
    found = []
    for job_id in job_ids:
        try:
            await store.read(job_id)
        except UnknownJob:
            found.append(False)
        else:
            found.append(True)
    return found


async def counter(raw: redis.Redis, prefix: str, name: str) -> int:
    value = raw.hget(f"{prefix}:{{builds.0}}:counters", name)
    assert value is None or isinstance(value, bytes)
    return int(value or 0)


async def test_a_queue_takes_as_many_jobs_as_it_may(make_store: Make) -> None:
    """Jobs that run count as well: a released one needs its place."""
    store = make_store(max_jobs=3)
    await submit(store, a_job(), a_job(), a_job())
    claim = await claim_one(store)

    with pytest.raises(QueueFull) as refused:
        await store.submit(a_job())
    assert refused.value.queue == "builds"

    await store.finish(claim.job_id, claim.fence, PASSED)
    await store.submit(a_job())


async def test_a_queue_takes_as_many_bytes_as_it_may(make_store: Make) -> None:
    store = make_store(max_bytes=1000)
    await submit(store, bytes_job(600))

    with pytest.raises(QueueFull):
        await store.submit(bytes_job(401))

    await store.submit(bytes_job(400))
    claim = await claim_one(store)
    await store.finish(claim.job_id, claim.fence, PASSED)
    await store.submit(bytes_job(600))


async def test_a_full_queue_is_no_affair_of_the_others(make_store: Make) -> None:
    store = make_store(max_jobs=1)
    await submit(store, a_job())

    await store.submit(a_job(queue=LINT))


async def test_of_a_batch_as_many_are_queued_as_there_is_room_for(make_store: Make) -> None:
    store = make_store(max_jobs=10)

    with pytest.RaisesGroup(*[QueueFull] * 5, flatten_subgroups=True):
        await submit_together(store, [a_job() for _ in range(15)])

    assert (await store.stats())[BUILDS].waiting == 10


async def test_a_job_known_to_a_full_queue_is_answered_again(make_store: Make) -> None:
    store = make_store(max_jobs=1)
    job = a_job()
    await store.submit(job)

    assert (await store.submit(job)).state.job_id == job.job_id


async def test_a_refused_large_payload_leaves_nothing_behind(make_store: Make, raw: redis.Redis, prefix: str) -> None:
    store = make_store(max_jobs=1)
    await submit(store, a_job())

    refused = bytes_job(200_000)
    with pytest.raises(QueueFull):
        await store.submit(refused)

    assert list(raw.scan_iter(f"{prefix}:*:{refused.job_id}")) == []


async def test_finished_jobs_are_kept_up_to_a_count(make_store: Make, clock: Clock) -> None:
    """Completed and the rest are counted apart."""
    store = make_store(keep_jobs=3)

    failed = await run_jobs(store, [a_job()], FAILED)
    passed = []
    for _ in range(5):
        clock.pass_ms(1)
        passed += await run_jobs(store, [a_job()])

    assert await known(store, passed) == [False, False, True, True, True]
    assert await known(store, failed) == [True]


async def test_finished_jobs_are_kept_up_to_an_age(make_store: Make, clock: Clock) -> None:
    store = make_store(keep_s=60)
    old = await run_jobs(store, [a_job(), a_job()])
    clock.pass_ms(30_000)
    young = await run_jobs(store, [a_job()])
    clock.pass_ms(30_001)

    await store.reap(BUILDS)

    assert await known(store, old + young) == [False, False, True]


async def test_finished_jobs_are_kept_up_to_a_sum_of_bytes(
    make_store: Make, raw: redis.Redis, prefix: str, clock: Clock
) -> None:
    """Whoever ended first goes first, however it ended."""
    store = make_store(keep_bytes=10_000)
    jobs = []
    for outcome in (FAILED, PASSED, TIMED_OUT, PASSED, FAILED):
        jobs += await run_jobs(store, [bytes_job(3000)], outcome)
        clock.pass_ms(1)

    assert await known(store, jobs) == [False, False, True, True, True]
    assert await counter(raw, prefix, "kept_bytes") < 10_000


async def test_of_a_forgotten_job_nothing_is_left(
    make_store: Make, raw: redis.Redis, prefix: str, clock: Clock
) -> None:
    store = make_store(keep_s=60)
    await run_jobs(store, [bytes_job(200_000), a_job()], CANCELLED)
    clock.pass_ms(60_001)

    await store.reap(BUILDS)

    # A claim's answer expires by itself.
    left = {key.rpartition(b"}:")[2].partition(b":")[0] for key in raw.scan_iter(f"{prefix}:*", count=1000)}
    assert left <= {b"turns", b"events", b"counters", b"claim", b"forgotten"}
    assert await counter(raw, prefix, "kept_bytes") == 0
    assert await counter(raw, prefix, "queued_bytes") == 0
    assert (await store.stats())[BUILDS] == QueueStats()


async def test_retention_is_done_in_bounded_steps(make_store: Make, clock: Clock) -> None:
    store = make_store(keep_s=60)
    await run_jobs(store, [a_job() for _ in range(30)])
    clock.pass_ms(60_001)

    left = []
    for _ in range(4):
        await store.reap(BUILDS, 10)
        left.append((await store.stats())[BUILDS].completed)

    assert left == [20, 10, 0, 0]


async def test_a_pass_tells_how_many_it_forgot(make_store: Make) -> None:
    """Cancelled ones are forgotten by nobody else, and may come faster than there are passes."""
    store = make_store(keep_jobs=1)
    for job_id in await submit(store, *(a_job() for _ in range(8))):
        await store.cancel(job_id)

    passes = [(await store.reap(BUILDS, 3)).forgotten for _ in range(4)]

    assert passes == [3, 3, 1, 0]
    assert (await store.stats())[BUILDS] == QueueStats(cancelled=1)


async def test_results_expire_even_where_nobody_trims(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    [job_id] = await run_jobs(store, [a_job()])

    ttl_s = raw.ttl(f"{prefix}:{{builds.0}}:result:{job_id}")

    assert isinstance(ttl_s, int)
    assert 86_400 < ttl_s <= 86_460


async def test_stats_count_jobs_by_what_became_of_them(store: RedisJobStore) -> None:
    for outcome, count in ((PASSED, 4), (FAILED, 3), (TIMED_OUT, 2), (CANCELLED, 1)):
        await run_jobs(store, [a_job() for _ in range(count)], outcome)
    await submit(store, *(a_job() for _ in range(6)))
    await store.claim(BUILDS, 5)

    stats = await store.stats()

    assert stats[BUILDS] == QueueStats(waiting=1, active=5, completed=4, failed=3, timeout=2, cancelled=1)
    assert stats[LINT] == QueueStats()
    assert list(stats) == ["builds", "tests", "lint"]
