"""Receivers that want nothing more, and ends that are sent again by hand."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.delivery import DeliveryStatus, EventKind, Settlement
from chef_supervisor.domain.errors import NotOverYet, UnknownJob
from chef_supervisor.domain.job import JobId
from chef_supervisor.store.job_store import JobStore
from tests.integration.store.making import BUILDS, Clock
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
    start,
    state_of,
    take_all,
    take_one,
    to,
)

pytestmark = pytest.mark.asyncio
WAITING, UNDELIVERABLE, GIVEN_UP = DeliveryStatus.WAITING, DeliveryStatus.UNDELIVERABLE, DeliveryStatus.GIVEN_UP


async def test_a_receiver_that_is_gone_is_told_nothing_more(either: JobStore, clock: Clock) -> None:
    first, waiting = await ended(either, to(HOOK)), await ended(either, to(HOOK))
    [delivery] = await either.take_deliveries(BUILDS, HOOK, 1)

    await either.settle(delivery, Settlement.GONE, reason="http_410")

    later = await ended(either, to(HOOK), to(CONVEX))
    assert await take_all(either, HOOK) == []
    states = [(await either.deliveries(job_id))[0] for job_id in (first, waiting, later)]
    assert [(state.status, state.reason) for state in states] == [(UNDELIVERABLE, "gone")] * 3
    assert (await either.delivery_counts())[BUILDS].undeliverable == 3
    # That is nobody else's affair.
    assert (await take_one(either)).job_id == later


async def test_a_gone_receiver_that_takes_what_is_sent_by_hand_is_told_again(either: JobStore) -> None:
    first, other = await ended(either, to(HOOK)), await ended(either, to(HOOK))
    for delivery in await take_all(either, HOOK):
        await either.settle(delivery, Settlement.GONE, reason="http_410")

    assert await either.redeliver(first, HOOK) == (HOOK,)
    again = await take_one(either, HOOK)
    assert again.job_id == first
    await either.settle(again, Settlement.TAKEN)

    assert (await state_of(either, other)).status is UNDELIVERABLE
    last = await ended(either, to(HOOK))
    assert (await take_one(either, HOOK)).job_id == last


async def test_a_gone_callback_is_that_of_one_job(either: JobStore) -> None:
    claim = await start(either, to(CALLBACK, url=URL))
    await either.settle(await take_one(either, CALLBACK), Settlement.GONE, reason="http_410")
    await either.progress(claim.job_id, claim.fence, 50)
    state = await state_of(either, claim.job_id)
    assert (state.status, state.kind) == (GIVEN_UP, EventKind.STARTED)
    await finish(either, claim)

    assert await either.due_receivers(BUILDS) == []
    state = await state_of(either, claim.job_id)
    assert (state.status, state.kind, state.reason) == (UNDELIVERABLE, EventKind.COMPLETED, "gone")
    assert (await either.delivery_counts())[BUILDS].undeliverable == 1
    other = await ended(either, to(CALLBACK, url=URL))
    assert (await take_one(either, CALLBACK)).job_id == other


async def test_gone_takes_what_came_meanwhile_along(either: JobStore) -> None:
    claim = await start(either, to(CALLBACK, url=URL))
    started = await take_one(either, CALLBACK)
    await finish(either, claim)

    await either.settle(started, Settlement.GONE, reason="http_410")

    state = await state_of(either, claim.job_id)
    assert (state.status, state.kind) == (UNDELIVERABLE, EventKind.COMPLETED)
    assert await either.due_receivers(BUILDS) == []


@pytest.mark.parametrize("settlement", [Settlement.TAKEN, Settlement.ENDED, Settlement.AGAIN])
async def test_a_redelivery_is_the_same_event_as_if_never_tried(
    either: JobStore, clock: Clock, settlement: Settlement
) -> None:
    job_id = await ended(either)
    first = await take_one(either)
    await either.settle(first, settlement, reason="http_500", delay_ms=3_600_000)
    clock.pass_ms(1)

    assert await either.redeliver(job_id, None) == (CONVEX,)

    state = await state_of(either, job_id)
    assert (state.status, state.tries, state.reason, state.next_try_at_ms) == (WAITING, 0, "", clock.ms)
    assert attrs.evolve(await take_one(either), lease="") == attrs.evolve(first, lease="")


async def test_a_redelivery_is_for_those_who_were_to_be_told(either: JobStore) -> None:
    job_id = await ended(either, to(CONVEX), to(HOOK))
    for receiver in (CONVEX, HOOK):
        await either.settle(await take_one(either, receiver), Settlement.TAKEN)

    assert await either.redeliver(job_id, HOOK) == (HOOK,)
    assert await either.redeliver(job_id, CALLBACK) == ()

    assert await take_all(either, CONVEX) == []
    assert (await take_one(either, HOOK)).job_id == job_id
    assert await either.redeliver(job_id, None) == (CONVEX, HOOK)


@pytest.mark.parametrize("settlement", list(Settlement))
async def test_a_redelivery_does_not_overtake_what_is_on_the_way_and_follows_it_however_that_ends(
    either: JobStore, settlement: Settlement
) -> None:
    job_id = await ended(either, to(HOOK))
    for delay_ms in (0, 0):
        delivery = await take_one(either, HOOK)
        await either.settle(delivery, Settlement.AGAIN, reason="http_500", delay_ms=delay_ms)
    delivery = await take_one(either, HOOK)

    assert await either.redeliver(job_id, None) == (HOOK,)

    assert await take_all(either, HOOK) == []
    for _ in range(2):
        assert await either.settle(delivery, settlement, reason="http_500", delay_ms=3_600_000)
    again = await take_one(either, HOOK)
    assert (again.event_id, again.tries, again.failed) == (delivery.event_id, 0, 0)
    assert await either.settle(again, Settlement.TAKEN)
    assert await take_all(either, HOOK) == []


async def test_a_redelivery_during_a_try_of_the_dead_is_told_once(either: JobStore, clock: Clock) -> None:
    job_id = await ended(either)
    await take_one(either)
    await either.redeliver(job_id, None)
    clock.pass_ms(DELIVERY_LEASE_MS)

    assert await either.settle(await take_one(either), Settlement.TAKEN)

    assert await take_all(either) == []


async def test_an_old_end_can_be_sent_again(make_store: Make, clock: Clock) -> None:
    store = make_store(delivery_give_up_s=60)
    job_id = await ended(store)
    clock.pass_ms(60_001)
    assert await take_all(store) == []

    await store.redeliver(job_id, None)

    assert (await take_one(store)).job_id == job_id


async def test_only_what_is_over_is_redelivered(either: JobStore) -> None:
    waiting = (await either.submit(a_told_job())).state.job_id
    running = (await start(either)).job_id

    for job_id in (waiting, running):
        with pytest.raises(NotOverYet):
            await either.redeliver(job_id, None)
    with pytest.raises(UnknownJob):
        await either.redeliver(JobId("builds.0_" + "a" * 26), None)
