"""What waits in the outbox is bounded in time and in number, and what must not be lost is kept within that."""

from __future__ import annotations

import pytest
import redis

from chef_supervisor.domain.delivery import DeliveryStatus, EventKind, Settlement
from chef_supervisor.domain.job import QueueName
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, Clock
from tests.integration.store.telling import (
    CALLBACK,
    CONVEX,
    DELIVERY_LEASE_MS,
    HOOK,
    URL,
    Make,
    ended,
    finish,
    start,
    state_of,
    take_all,
    take_one,
    to,
)

pytestmark = pytest.mark.asyncio
UNDELIVERABLE, GIVEN_UP = DeliveryStatus.UNDELIVERABLE, DeliveryStatus.GIVEN_UP
WAITING = DeliveryStatus.WAITING
HOUR_MS = 3_600_000


async def test_of_what_nobody_knows_only_the_too_old_has_its_end(make_store: Make, clock: Clock) -> None:
    store = make_store(delivery_give_up_s=60)
    old = await ended(store, to(HOOK))
    clock.pass_ms(1)
    young = await ended(store, to(HOOK))
    clock.pass_ms(60_000)

    assert await take_all(store, HOOK, 0) == []

    assert (await state_of(store, old)).reason == "too_old"
    assert (await state_of(store, young)).status is WAITING
    assert (await take_one(store, HOOK)).job_id == young
    assert (await store.delivery_counts())[BUILDS].tries == 1


@pytest.mark.parametrize(("tried", "most_ms"), [(False, 60_000), (True, 10_000)])
async def test_a_start_is_not_told_when_it_is_no_news_any_more(
    store: RedisJobStore, clock: Clock, tried: bool, most_ms: int
) -> None:
    claims = [await start(store) for _ in range(2)]
    if tried:
        for delivery in await take_all(store):
            await store.settle(delivery, Settlement.AGAIN, delay_ms=most_ms)
    clock.pass_ms(most_ms)
    assert (await take_all(store, slots=1))[0].kind is EventKind.STARTED
    clock.pass_ms(1)

    assert await take_all(store) == []

    states = {(await state_of(store, claim.job_id)).status for claim in claims}
    assert states == {WAITING, GIVEN_UP}
    for claim in claims:
        await finish(store, claim)
    clock.pass_ms(DELIVERY_LEASE_MS)
    assert {one.kind for one in await take_all(store)} == {EventKind.COMPLETED}


async def test_an_end_has_a_number_that_no_lost_event_had(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    """Redis comes back from a moment ago, before the last progress was told."""
    claim = await start(store)
    key = f"{prefix}:{{builds.0}}:job:{claim.job_id}"
    for percent in range(1, 100):
        await store.progress(claim.job_id, claim.fence, percent)
    told = await take_one(store)
    await store.settle(told, Settlement.TAKEN)
    raw.hset(key, mapping={"seq": 1, "progress": 0})

    await finish(store, claim)

    assert (await take_one(store)).seq > told.seq


async def test_a_410_counts_for_the_address_that_answered_so(make_store: Make) -> None:
    before, after = (make_store(addresses={HOOK: address}) for address in ("old", "new"))
    await ended(before, to(HOOK))
    await before.settle(await take_one(before, HOOK), Settlement.GONE, reason="http_410")
    gone, waiting = await ended(before, to(HOOK)), None
    assert await take_all(before, HOOK) == []
    assert (await state_of(before, gone)).reason == "gone"
    waiting = await ended(before, to(HOOK))

    assert (await take_one(after, HOOK)).job_id == waiting


async def test_jobs_whose_end_is_still_to_be_told_are_kept_up_to_twice_as_many(make_store: Make, clock: Clock) -> None:
    store = make_store(keep_jobs=5)
    jobs = []
    for _ in range(30):
        jobs.append(await ended(store))
        clock.pass_ms(1)

    told = await take_all(store, slots=50)

    whole = [one.job_id for one in told if not (await store.message(one)).forgotten]
    assert whole == jobs[-10:]
    for delivery in told:
        await store.settle(delivery, Settlement.TAKEN)
    await store.reap(BUILDS)
    assert (await store.stats())[BUILDS].completed == 5


async def test_old_jobs_go_also_where_their_end_is_still_to_be_told(make_store: Make, clock: Clock) -> None:
    store = make_store(keep_s=60)
    await ended(store)
    clock.pass_ms(60_001)

    assert (await store.reap(BUILDS)).forgotten == 1
    assert (await store.message(await take_one(store))).forgotten


@pytest.mark.parametrize(
    ("host", "refused"), [(CALLBACK, True), (ReceiverName("callback.other.example.com"), False), (CONVEX, False)]
)
async def test_one_host_may_have_so_many_waiting(
    store: RedisJobStore, raw: redis.Redis, prefix: str, host: ReceiverName, refused: bool
) -> None:
    raw.zadd(f"{prefix}:{{builds.0}}:outbox:{CALLBACK}", {f"older {number}": 9e12 for number in range(10_000)})

    state = await state_of(store, await ended(store, to(host, url=URL)))

    assert (state.status, state.reason) == ((UNDELIVERABLE, "too_many_waiting") if refused else (WAITING, ""))


async def test_all_hosts_together_may_have_so_many_waiting(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    first = await ended(store, to(CALLBACK, url=URL), to(CONVEX))
    raw.hincrby(f"{prefix}:{{builds.0}}:counters", "callbacks_waiting", 49_999)

    job_id = await ended(store, to(ReceiverName("callback.other.example.com"), url=URL), to(CONVEX))

    assert [state.status for state in await store.deliveries(job_id)] == [UNDELIVERABLE, WAITING]
    taken = await take_one(store, CALLBACK)
    assert taken.job_id == first
    await store.settle(taken, Settlement.TAKEN)
    later = await ended(store, to(CALLBACK, url=URL))
    assert (await state_of(store, later)).status is WAITING


async def test_a_clock_that_is_set_back_by_days_holds_no_delivery_up_for_days(
    store: RedisJobStore, clock: Clock
) -> None:
    job_id = await ended(store)
    await store.settle(await take_one(store), Settlement.AGAIN, delay_ms=12 * HOUR_MS)
    assert await store.due_receivers(BUILDS) == [(CONVEX, 12 * HOUR_MS)]
    clock.pass_ms(-30 * 24 * HOUR_MS)

    assert await store.due_receivers(BUILDS) == [(CONVEX, 0)]
    assert await take_all(store) == []
    assert await store.due_receivers(BUILDS) == [(CONVEX, DELIVERY_LEASE_MS)]

    clock.pass_ms(DELIVERY_LEASE_MS)
    assert (await take_one(store)).job_id == job_id


async def test_what_others_put_in_the_place_of_a_row_is_no_delivery(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    job_id = await ended(store, to(CONVEX), to(HOOK))
    key = f"{prefix}:{{builds.0}}:delivery:{job_id}:convex"
    raw.delete(key)
    raw.set(key, "text")

    assert [state.receiver for state in await store.deliveries(job_id)] == [HOOK]
    assert await store.redeliver(job_id, None) == (HOOK,)


async def test_progress_that_tells_nobody_anything_wakes_nobody(store: RedisJobStore) -> None:
    woken: list[QueueName] = []
    told, quiet = await start(store), await start(store, to(HOOK, progress=False))
    store.on_change = woken.append

    assert await store.progress(quiet.job_id, quiet.fence, 50)
    assert woken == []
    for _ in range(3):
        assert await store.progress(told.job_id, told.fence, 50)

    assert woken == [BUILDS]
