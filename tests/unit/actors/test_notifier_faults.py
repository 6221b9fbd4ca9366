"""Whatever dies or is away, an event is told at least once, under one id."""

from __future__ import annotations

import asyncio
import logging

import pytest

from chef_supervisor.domain.delivery import DeliveryStatus, Settlement
from tests.kit.fake_receiver import FakeReceiver
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.notifier_bench import CONVEX, GRACE_S, LEASE_S, Bench


@virtual
async def test_what_was_taken_by_one_that_died_is_told_when_its_lease_is_over() -> None:
    convex = FakeReceiver(CONVEX)
    bench = Bench.of(convex)
    job_id = await bench.ended(CONVEX)
    [lost] = await bench.store.take_deliveries(bench.queues[0], CONVEX, 1)
    async with bench.notifier():
        await asyncio.sleep(LEASE_S - 0.1)
        assert convex.told == []
        await asyncio.sleep(1.2)

        assert [message.event_id for _, message in convex.told] == [lost.event_id]
        assert (await bench.state(job_id)).status is DeliveryStatus.DELIVERED


@virtual
async def test_while_redis_is_away_it_waits_and_then_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    convex = FakeReceiver(CONVEX)
    bench = Bench.of(convex)
    await bench.ended(CONVEX)
    bench.store.away = True
    async with bench.notifier():
        await asyncio.sleep(60)
        bench.store.away = False
        await bench.until_settled()

        assert now_s() <= 61.5
        await asyncio.sleep(2)
        told = [getattr(record, "event", "") for record in caplog.records]
        assert (told.count("store.unavailable"), told.count("store.back")) == (1, 1)


@virtual
async def test_an_answer_is_told_to_redis_as_soon_as_it_is_back() -> None:
    convex = FakeReceiver(CONVEX, takes_s=1.0)
    bench = Bench.of(convex)
    async with bench.notifier():
        job_id = await bench.ended(CONVEX)
        await until(lambda: bool(convex.under_way))
        bench.store.away = True
        await asyncio.sleep(10)
        bench.store.away = False
        await bench.until_settled()

        assert now_s() < 11
        assert ((await bench.state(job_id)).status, len(convex.told)) == (DeliveryStatus.DELIVERED, 1)


@virtual
async def test_an_answer_that_redis_never_heard_of_is_asked_for_again_under_the_same_id() -> None:
    convex = FakeReceiver(CONVEX, takes_s=1.0)
    bench = Bench.of(convex)
    async with bench.notifier():
        job_id = await bench.ended(CONVEX)
        await until(lambda: bool(convex.under_way))
        bench.store.away = True
        await asyncio.sleep(LEASE_S + 5)
        bench.store.away = False
        await bench.until_settled()

        first, second = (message for _, message in convex.told)
        assert (first.event_id, first.seq) == (second.event_id, second.seq)
        assert (await bench.state(job_id)).status is DeliveryStatus.DELIVERED


@virtual
async def test_an_answer_that_comes_after_the_lease_was_lost_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    convex = FakeReceiver(CONVEX, takes_s=5.0)
    bench = Bench.of(convex)
    async with bench.notifier():
        job_id = await bench.ended(CONVEX)
        await until(lambda: bool(convex.under_way))
        bench.store.rows[job_id, CONVEX].lease = "of somebody else"
        await until(lambda: not convex.under_way)
        await asyncio.sleep(1)

        assert bench.store.settlements == []
        assert "delivery.taken" not in [getattr(record, "event", "") for record in caplog.records]


@virtual
async def test_a_stop_waits_for_what_is_under_way_and_takes_nothing_more() -> None:
    convex = FakeReceiver(CONVEX, takes_s=GRACE_S - 1, concurrency=2)
    bench = Bench.of(convex)
    async with bench.notifier():
        jobs = [await bench.ended(CONVEX) for _ in range(3)]
        await until(lambda: len(convex.under_way) == 2)

    assert [settlement for _, settlement, _, _ in bench.store.settlements] == [Settlement.TAKEN] * 2
    statuses = [(await bench.state(job_id)).status for job_id in jobs]
    assert sorted(statuses) == [DeliveryStatus.DELIVERED, DeliveryStatus.DELIVERED, DeliveryStatus.WAITING]


@virtual
async def test_what_does_not_end_within_the_grace_is_given_back_and_its_try_is_not_counted() -> None:
    convex = FakeReceiver(CONVEX, hangs=True)
    bench = Bench.of(convex)
    async with bench.notifier():
        job_id = await bench.ended(CONVEX)
        await until(lambda: bool(convex.under_way))

    assert GRACE_S <= now_s() < GRACE_S + 1
    state = await bench.state(job_id)
    assert (state.status, state.tries) == (DeliveryStatus.WAITING, 0)
    [(receiver, in_ms)] = await bench.store.due_receivers(bench.queues[0])
    assert (receiver, in_ms) == (CONVEX, 0)


@virtual
async def test_a_stop_ends_in_time_where_redis_does_not_answer() -> None:
    convex = FakeReceiver(CONVEX, hangs=True)
    bench = Bench.of(convex)
    async with bench.notifier():
        await bench.ended(CONVEX)
        await until(lambda: bool(convex.under_way))
        bench.store.hangs = True

    assert now_s() < GRACE_S + 3
