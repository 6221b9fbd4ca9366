"""What becomes of a delivery after its try, or without one."""

from __future__ import annotations

import attrs
import pytest
import redis

from chef_supervisor.domain.delivery import DeliveryStatus, EventKind, Settlement
from chef_supervisor.store.answers import DeliveryCounts
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, LINT, Clock
from tests.integration.store.telling import (
    CONVEX,
    DELIVERY_LEASE_MS,
    HOOK,
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
WAITING, DELIVERED = DeliveryStatus.WAITING, DeliveryStatus.DELIVERED
UNDELIVERABLE, GIVEN_UP = DeliveryStatus.UNDELIVERABLE, DeliveryStatus.GIVEN_UP


async def test_who_dies_before_it_settles_leaves_the_same_event_to_the_next(either: JobStore, clock: Clock) -> None:
    await ended(either)
    first = await take_one(either)
    clock.pass_ms(DELIVERY_LEASE_MS)

    second = await take_one(either)

    assert (second.event_id, second.seq, second.tries) == (first.event_id, first.seq, 1)
    assert not await either.settle(first, Settlement.TAKEN)
    assert not await either.settle(first, Settlement.GONE)
    assert await either.settle(second, Settlement.TAKEN)


async def test_a_lease_that_ran_out_is_its_takers_until_the_next_takes_it(either: JobStore, clock: Clock) -> None:
    job_id = await ended(either)
    delivery = await take_one(either)
    clock.pass_ms(2 * DELIVERY_LEASE_MS)

    assert await either.settle(delivery, Settlement.TAKEN)

    assert (await state_of(either, job_id)).status is DELIVERED
    assert await take_all(either) == []


@pytest.mark.parametrize("settlement", list(Settlement))
async def test_to_settle_again_changes_nothing(either: JobStore, settlement: Settlement) -> None:
    job_id = await ended(either)
    delivery = await take_one(either)
    assert await either.settle(delivery, settlement, reason="http_500")
    state, counts = await state_of(either, job_id), (await either.delivery_counts())[BUILDS]

    assert await either.settle(delivery, settlement, reason="http_500")

    assert await state_of(either, job_id) == state
    assert (await either.delivery_counts())[BUILDS] == counts


async def test_what_failed_is_tried_again_after_its_delay_as_the_same_event(either: JobStore, clock: Clock) -> None:
    await ended(either)
    first = await take_one(either)

    await either.settle(first, Settlement.AGAIN, reason="timeout", delay_ms=5_000)

    assert await either.due_receivers(BUILDS) == [(CONVEX, 5_000)]
    clock.pass_ms(5_000)
    assert attrs.evolve(await take_one(either), lease="") == attrs.evolve(first, lease="", tries=1, failed=1)


async def test_what_was_not_tried_is_not_counted(either: JobStore) -> None:
    await ended(either)

    await either.settle(await take_one(either), Settlement.BACK)

    assert (await take_one(either)).tries == 0
    assert (await either.delivery_counts())[BUILDS].tries == 1


async def test_an_end_that_is_tried_no_more_is_undeliverable_and_a_start_is_given_up(either: JobStore) -> None:
    claim = await start(either)
    await either.settle(await take_one(either), Settlement.ENDED, reason="http_400")
    state = await state_of(either, claim.job_id)
    assert (state.status, state.reason) == (GIVEN_UP, "http_400")

    await finish(either, claim)
    await either.settle(await take_one(either), Settlement.ENDED, reason="http_401")

    state = await state_of(either, claim.job_id)
    assert (state.status, state.reason) == (UNDELIVERABLE, "http_401")
    assert await either.due_receivers(BUILDS) == []
    assert (await either.delivery_counts())[BUILDS] == DeliveryCounts(undeliverable=1, tries=2)


async def test_what_is_too_old_is_undeliverable_for_the_reason_it_had(make_store: Make, clock: Clock) -> None:
    store = make_store(delivery_give_up_s=61)
    tried = await ended(store)
    clock.pass_ms(1)
    untried = await ended(store)
    first, second = await take_all(store)
    await store.settle(first, Settlement.AGAIN, reason="http_503", delay_ms=60_000)
    await store.settle(second, Settlement.AGAIN, delay_ms=61_000)
    clock.pass_ms(60_000)
    await store.settle(await take_one(store), Settlement.BACK)
    clock.pass_ms(1_001)

    assert await take_all(store) == []

    assert [(await state_of(store, job_id)).status for job_id in (tried, untried)] == [UNDELIVERABLE, UNDELIVERABLE]
    assert [(await state_of(store, job_id)).reason for job_id in (tried, untried)] == ["http_503", "too_old"]
    assert (await store.delivery_counts())[BUILDS].undeliverable == 2
    assert await store.due_receivers(BUILDS) == []


async def test_a_start_that_got_too_old_in_the_hands_of_the_dead_holds_up_nothing(
    make_store: Make, clock: Clock
) -> None:
    store = make_store(delivery_give_up_s=60)
    claim = await start(store)
    lost = await take_one(store)
    clock.pass_ms(60_001)
    assert await take_all(store) == []
    assert (await state_of(store, claim.job_id)).status is GIVEN_UP

    assert not await store.settle(lost, Settlement.TAKEN)
    await finish(store, claim)

    assert (await take_one(store)).kind is EventKind.COMPLETED


async def test_counts_are_those_of_each_queue(store: RedisJobStore) -> None:
    await ended(store, to(CONVEX), to(HOOK))
    await ended(store, to(HOOK))

    await store.settle(await take_one(store), Settlement.TAKEN)

    counts = await store.delivery_counts()
    assert counts[BUILDS] == DeliveryCounts(waiting=2, delivered=1, tries=1)
    assert counts[LINT] == DeliveryCounts()


async def test_more_than_so_many_are_not_kept_for_one_receiver(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    known = await start(store)
    raw.zadd(f"{prefix}:{{builds.0}}:outbox:convex", {f"older {number}": 9e12 for number in range(99_999)})
    # It has its place already.
    await finish(store, known)
    assert (await state_of(store, known.job_id)).status is WAITING
    assert (await take_one(store)).job_id == known.job_id

    claim = await start(store, to(CONVEX), to(HOOK))
    assert [state.receiver for state in await store.deliveries(claim.job_id)] == [HOOK]

    await finish(store, claim)

    refused, waiting = await store.deliveries(claim.job_id)
    assert (refused.status, refused.reason) == (UNDELIVERABLE, "too_many_waiting")
    assert waiting.status is WAITING
    assert await store.redeliver(claim.job_id, CONVEX) == (CONVEX,)
    assert (await take_one(store)).job_id == claim.job_id
