"""The outbox: one lane a job and receiver, with the latest event that was not taken; in order, and the end last."""

from __future__ import annotations

import attrs
import pytest
import redis

from chef_supervisor.domain.delivery import Delivery, DeliveryState, DeliveryStatus, EventKind, Settlement
from chef_supervisor.domain.errors import QueueFull, UnknownJob
from chef_supervisor.domain.job import JobId, JobStatus, JobType
from chef_supervisor.store.answers import Blame
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    FAILED,
    TIMED_OUT,
    Clock,
    a_job,
    claim_one,
    let_leases_end,
    run_jobs,
)
from tests.integration.store.telling import (
    CALLBACK,
    CONVEX,
    DELIVERY_LEASE_MS,
    HOOK,
    URL,
    Make,
    a_told_job,
    ended,
    finish,
    keys_of_deliveries,
    start,
    state_of,
    take_all,
    take_one,
    to,
)
from tests.kit.fake_rows import END_STEP

pytestmark = pytest.mark.asyncio


async def test_a_job_that_waits_is_told_to_nobody(either: JobStore) -> None:
    job_id = (await either.submit(a_told_job())).state.job_id

    assert await either.due_receivers(BUILDS) == []
    assert await either.deliveries(job_id) == ()


async def test_a_start_is_told_with_all_that_there_is_to_tell(store: RedisJobStore, clock: Clock) -> None:
    claim = await start(store, to(CALLBACK, url=URL))

    clock.pass_ms(5)
    assert await store.due_receivers(BUILDS) == [(CALLBACK, 0)]
    delivery = await take_one(store, CALLBACK)
    assert delivery == Delivery(
        job_id=claim.job_id,
        receiver=CALLBACK,
        lease=delivery.lease,
        seq=1,
        kind=EventKind.STARTED,
        type=JobType.BUILD,
        status=JobStatus.PROCESSING,
        progress=0,
        at_ms=clock.ms - 5,
        tries=0,
        url=URL,
    )
    assert delivery.event_id == f"evt_{claim.job_id.replace('.', '_')}_1"


async def test_what_was_not_taken_gives_way_to_what_is_later(either: JobStore) -> None:
    claim = await start(either)
    for percent in (10, 20, 30):
        await either.progress(claim.job_id, claim.fence, percent)

    delivery = await take_one(either)

    assert (delivery.kind, delivery.progress, delivery.seq) == (EventKind.PROGRESS, 30, 4)
    assert await take_all(either) == []


async def test_progress_is_told_once_a_second_and_the_end_at_once(either: JobStore, clock: Clock) -> None:
    claim = await start(either)
    assert await either.settle(await take_one(either), Settlement.TAKEN)

    await either.progress(claim.job_id, claim.fence, 10)
    clock.pass_ms(999)
    assert await either.due_receivers(BUILDS) == [(CONVEX, 1)]
    assert await take_all(either) == []
    clock.pass_ms(1)
    assert await either.settle(await take_one(either), Settlement.TAKEN)
    await either.progress(claim.job_id, claim.fence, 20)
    assert await take_all(either) == []
    await finish(either, claim)

    delivery = await take_one(either)
    assert (delivery.kind, delivery.status) == (EventKind.COMPLETED, JobStatus.COMPLETED)


async def test_a_clock_that_is_set_back_holds_nothing_up_for_longer_than_the_pace(
    store: RedisJobStore, clock: Clock
) -> None:
    claim = await start(store)
    await store.settle(await take_one(store), Settlement.TAKEN)
    clock.pass_ms(-3_600_000)

    await store.progress(claim.job_id, claim.fence, 50)

    assert await store.due_receivers(BUILDS) == [(CONVEX, 1_000)]


async def test_nobody_overtakes_a_delivery_that_is_on_the_way(make_store: Make, clock: Clock) -> None:
    """Two supervisors: the end waits for what one of them has, and goes to whoever takes it first."""
    one, other = make_store(), make_store()
    claim = await start(one)
    started = await take_one(one)
    await finish(one, claim)

    clock.pass_ms(DELIVERY_LEASE_MS - 1)
    assert await take_all(other) == []
    assert await other.due_receivers(BUILDS) == [(CONVEX, 1)]
    assert await one.settle(started, Settlement.AGAIN, reason="http_500", delay_ms=60_000)

    last = await take_one(other)
    assert (last.kind, last.seq, last.tries) == (EventKind.COMPLETED, started.seq + END_STEP, 0)
    assert await other.settle(last, Settlement.TAKEN)
    assert await other.due_receivers(BUILDS) == []


@pytest.mark.parametrize("settlement", [Settlement.TAKEN, Settlement.AGAIN, Settlement.ENDED, Settlement.BACK])
async def test_what_came_meanwhile_is_told_next_and_by_its_pace(
    either: JobStore, clock: Clock, settlement: Settlement
) -> None:
    claim = await start(either)
    started = await take_one(either)
    await either.progress(claim.job_id, claim.fence, 50)
    clock.pass_ms(400)

    await either.settle(started, settlement, reason="http_500", delay_ms=60_000)

    assert await either.due_receivers(BUILDS) == [(CONVEX, 600)]
    clock.pass_ms(600)
    later = await take_one(either)
    assert (later.kind, later.progress, later.tries) == (EventKind.PROGRESS, 50, 0)


async def test_who_wants_the_end_alone_is_told_of_nothing_else(either: JobStore) -> None:
    claim = await start(either, to(HOOK, progress=False), to(CONVEX))
    await either.progress(claim.job_id, claim.fence, 50)

    assert await take_all(either, HOOK) == []
    assert (await take_one(either)).seq == 2
    await finish(either, claim, FAILED)

    delivery = await take_one(either, HOOK)
    assert (delivery.kind, delivery.seq) == (EventKind.FAILED, 2 + END_STEP)
    assert [state.receiver for state in await either.deliveries(claim.job_id)] == [HOOK, CONVEX]


async def test_every_way_to_an_end_is_told(store: RedisJobStore, clock: Clock) -> None:
    ends: list[tuple[EventKind, JobId]] = []
    for outcome, kind in ((FAILED, EventKind.FAILED), (TIMED_OUT, EventKind.TIMEOUT)):
        claim = await start(store)
        await finish(store, claim, outcome)
        ends.append((kind, claim.job_id))
    waiting = (await store.submit(a_told_job())).state.job_id
    await store.cancel(waiting)
    ends.append((EventKind.CANCELLED, waiting))
    older = (await store.submit(attrs.evolve(a_told_job(), supersedes=True))).state.job_id
    newer = (await store.submit(attrs.evolve(a_told_job(), supersedes=True))).state.job_id
    await store.cancel(newer)
    ends += [(EventKind.CANCELLED, older), (EventKind.CANCELLED, newer)]
    poisoned = (await store.submit(a_told_job())).state.job_id
    for _ in range(4):
        claim = await claim_one(store)
        await store.postpone(claim.job_id, claim.fence, Blame.INFRASTRUCTURE, "gone", 0)
    ends.append((EventKind.FAILED, poisoned))
    reaped = (await store.submit(a_told_job())).state.job_id
    for _ in range(4):
        await claim_one(store)
        await let_leases_end(store, clock)
        await let_leases_end(store, clock)
    ends.append((EventKind.FAILED, reaped))

    told = await take_all(store, slots=50)

    assert sorted((one.kind, one.job_id) for one in told) == sorted(ends)


async def test_a_run_that_is_repeated_is_told_as_another_start(either: JobStore, clock: Clock) -> None:
    claim = await start(either)
    await either.settle(await take_one(either), Settlement.TAKEN)
    await either.release(claim.job_id, claim.fence)
    await claim_one(either)
    clock.pass_ms(1_000)

    again = await take_one(either)

    assert (again.kind, again.seq) == (EventKind.STARTED, 2)


async def test_what_is_due_longest_is_taken_first_and_no_more_than_asked_for(
    store: RedisJobStore, clock: Clock
) -> None:
    jobs = []
    for _ in range(5):
        jobs.append(await ended(store))
        clock.pass_ms(1)

    first = await take_all(store, slots=3)
    rest = await take_all(store, slots=3)

    assert [one.job_id for one in first] == jobs[:3]
    assert [one.job_id for one in rest] == jobs[3:]
    assert await store.take_deliveries(BUILDS, CONVEX, 0) == []


async def test_without_subscribers_nothing_is_written(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    [job_id] = await run_jobs(store, [a_job()])

    assert keys_of_deliveries(raw, prefix) == set()
    assert raw.hexists(f"{prefix}:{{builds.0}}:job:{job_id}", "receivers") is False
    assert raw.hexists(f"{prefix}:{{builds.0}}:job:{job_id}", "seq") is False
    assert await store.deliveries(job_id) == ()


async def test_a_job_that_nobody_knows_has_no_deliveries(either: JobStore) -> None:
    with pytest.raises(UnknownJob):
        await either.deliveries(JobId("builds.0_" + "a" * 26))


async def test_subscribers_count_as_bytes_of_their_job(make_store: Make) -> None:
    store = make_store(max_bytes=1_000)

    with pytest.raises(QueueFull):
        await store.submit(a_told_job(to(CALLBACK, url=URL + "x" * 1_000)))

    await ended(store, to(CALLBACK, url=URL))
    assert (await take_one(store, CALLBACK)).url == URL


async def test_the_subscribers_of_a_job_are_handed_on_to_its_repetition(either: JobStore) -> None:
    subscribers = (to(CALLBACK, url=URL), to(HOOK, progress=False))
    job_id = (await either.submit(a_told_job(*subscribers))).state.job_id

    assert (await either.original(job_id)).subscribers == subscribers


async def test_the_state_of_a_delivery_says_when_it_is_tried_again(either: JobStore, clock: Clock) -> None:
    job_id = await ended(either)
    delivery = await take_one(either)
    of_it = DeliveryState(
        receiver=CONVEX, status=DeliveryStatus.WAITING, kind=EventKind.COMPLETED, seq=1 + END_STEP, tries=1
    )
    assert await state_of(either, job_id) == of_it

    await either.settle(delivery, Settlement.AGAIN, reason="http_500", delay_ms=5_000)
    next_ms = clock.ms + 5_000
    assert await state_of(either, job_id) == attrs.evolve(of_it, reason="http_500", next_try_at_ms=next_ms)

    clock.pass_ms(5_000)
    await either.settle(await take_one(either), Settlement.TAKEN)
    taken = attrs.evolve(of_it, status=DeliveryStatus.DELIVERED, tries=2, delivered_at_ms=clock.ms)
    assert await state_of(either, job_id) == taken
