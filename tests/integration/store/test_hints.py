"""What others are told: the wake key and the stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import redis

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.answers import Gap, JobEvent
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, Clock, a_job, claim_one, let_leases_end, run_jobs, submit

pytestmark = pytest.mark.asyncio
LONG_S = 30.0


async def test_a_submission_wakes_who_waits(make_store: Callable[..., RedisJobStore]) -> None:
    waiting, other = make_store(), make_store()

    async with asyncio.TaskGroup() as group:
        woken = group.create_task(waiting.wait_for_work(BUILDS, LONG_S))
        group.create_task(other.submit(a_job()))

    assert woken.result()


async def test_waiting_ends_when_nothing_comes(store: RedisJobStore) -> None:
    assert not await store.wait_for_work(BUILDS, 0)


async def test_the_wake_is_there_while_jobs_remain(store: RedisJobStore) -> None:
    await submit(store, a_job(), a_job(), a_job())

    for _ in range(3):
        assert await store.wait_for_work(BUILDS, LONG_S)
        await claim_one(store)

    assert not await store.wait_for_work(BUILDS, 0)


async def test_a_claim_of_the_last_job_leaves_no_vain_wake(store: RedisJobStore) -> None:
    await submit(store, a_job())
    await store.claim(BUILDS, 1)

    assert not await store.wait_for_work(BUILDS, 0)


async def test_a_job_that_comes_back_wakes(store: RedisJobStore, clock: Clock) -> None:
    await submit(store, a_job())
    claim = await claim_one(store)
    await store.release(claim.job_id, claim.fence)
    assert await store.wait_for_work(BUILDS, LONG_S)

    await claim_one(store)
    await let_leases_end(store, clock)
    assert await store.wait_for_work(BUILDS, LONG_S)


async def test_a_wake_that_was_lost_is_put_back_by_the_next_reaping(store: RedisJobStore) -> None:
    await submit(store, a_job())
    await store.wait_for_work(BUILDS, LONG_S)

    await store.reap(BUILDS)

    assert await store.wait_for_work(BUILDS, LONG_S)


async def test_one_job_wakes_one_of_those_who_wait(make_store: Callable[..., RedisJobStore]) -> None:
    stores = [make_store() for _ in range(3)]

    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(store.wait_for_work(BUILDS, 0.3)) for store in stores]
        group.create_task(stores[0].submit(a_job()))

    assert sorted(task.result() for task in waiting) == [False, False, True]


async def test_events_tell_every_change_in_order(store: RedisJobStore, clock: Clock) -> None:
    before = await store.tail(BUILDS)
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)
    await store.progress(job_id, claim.fence, 30)
    await store.finish(job_id, claim.fence, PASSED)

    events = await store.events(BUILDS, before, LONG_S)

    assert before == "0-0"
    assert all(isinstance(event, JobEvent) and event.job_id == job_id and event.at_ms == clock.ms for event in events)
    told = [(event.kind, event.status, event.progress) for event in events if isinstance(event, JobEvent)]
    assert told == [
        ("job.pending", JobStatus.PENDING, 0),
        ("job.processing", JobStatus.PROCESSING, 0),
        ("job.progress", JobStatus.PROCESSING, 30),
        ("job.completed", JobStatus.COMPLETED, 100),
    ]
    assert events[-1].position == await store.tail(BUILDS)


async def test_a_reader_is_told_as_soon_as_something_happens(store: RedisJobStore) -> None:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(store.events(BUILDS, "0-0", LONG_S))
        group.create_task(store.submit(a_job()))

    assert [event.position for event in reading.result()] == ["1-0"]


async def test_reading_on_from_a_position_misses_and_repeats_nothing(store: RedisJobStore) -> None:
    await run_jobs(store, [a_job() for _ in range(120)])

    positions, after = [], "0-0"
    while events := await store.events(BUILDS, after, 0):
        after = events[-1].position
        positions += [event.position for event in events]

    assert positions == [f"{number}-0" for number in range(1, 361)]


async def test_a_reader_that_is_up_to_date_gets_nothing(store: RedisJobStore) -> None:
    await submit(store, a_job())

    assert await store.events(BUILDS, await store.tail(BUILDS), 0) == []


async def test_a_trimmed_position_gives_a_gap_before_the_events(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    await submit(store, *(a_job() for _ in range(10)))
    raw.xtrim(f"{prefix}:{{builds.0}}:events", maxlen=3, approximate=False)

    for after in ("0-0", "4-0"):
        gap, *events = await store.events(BUILDS, after, 0)
        assert gap == Gap(BUILDS, "7-0")
        assert [event.position for event in events] == ["8-0", "9-0", "10-0"]
    # The last one trimmed is the last one read: nothing was missed.
    assert len(await store.events(BUILDS, "7-0", 0)) == 3


@pytest.mark.parametrize("after", ["99-0", "nonsense", "1-1", "-1-0", "9" * 30 + "-0"])
async def test_a_position_of_another_stream_gives_a_gap(store: RedisJobStore, after: str) -> None:
    """Redis came back with older data, or a client made it up."""
    await submit(store, a_job())

    assert await store.events(BUILDS, after, 0) == [Gap(BUILDS, "1-0")]


async def test_the_stream_is_bounded(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    """Trimming is by whole nodes of 100 entries."""
    stream = f"{prefix}:{{builds.0}}:events"
    with raw.pipeline(transaction=False) as pipe:
        for number in range(1, 12_000):
            pipe.xadd(stream, {"kind": "job.pending"}, id=f"{number}-0")
        pipe.hset(f"{prefix}:{{builds.0}}:counters", "events", "11999")
        pipe.execute()

    await submit(store, a_job())

    length = raw.xlen(stream)
    assert isinstance(length, int)
    assert 10_000 <= length <= 10_200
