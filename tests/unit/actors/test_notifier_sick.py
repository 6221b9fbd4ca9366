"""A receiver that hangs, fails or is overloaded delays nobody else, and is left alone for a while."""

from __future__ import annotations

import asyncio
import logging

import attrs
import pytest

from chef_supervisor.domain.delivery import Delivery, DeliveryStatus, Message
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.webhooks.receivers import Receivers
from tests.kit.fake_receiver import TAKEN, FakeReceiver, failed
from tests.kit.fake_store import FakeStore
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.notifier_bench import CONVEX, HOOK, LEASE_S, Bench


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.event for record in caplog.records if hasattr(record, "event")]


@virtual
async def test_a_receiver_that_hangs_delays_nobody_else_and_holds_no_more_than_it_may() -> None:
    sick, well = FakeReceiver(HOOK, hangs=True, concurrency=3), FakeReceiver(CONVEX)
    bench = Bench.of(sick, well)
    async with bench.notifier():
        for _ in range(30):
            await bench.ended(HOOK, CONVEX)
        await until(lambda: len(well.told) == 30)

        assert now_s() < 0.5
        assert (len(sick.told), sick.most_under_way) == (3, 3)


@virtual
async def test_a_try_that_does_not_end_is_cut_before_its_lease_and_made_again() -> None:
    sick = FakeReceiver(HOOK, hangs=True)
    bench = Bench.of(sick)
    async with bench.notifier():
        job_id = await bench.ended(HOOK)
        await asyncio.sleep(LEASE_S - 5)

        assert (await bench.state(job_id)).reason == "timeout"
        sick.hangs = False
        await bench.until_settled(2)
        assert (await bench.state(job_id)).status is DeliveryStatus.DELIVERED


@virtual
async def test_after_five_failures_in_a_row_nothing_is_tried_for_a_growing_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    sick = FakeReceiver(HOOK, rest=failed(), concurrency=1)
    bench = Bench.of(sick)
    bench.chance = 0.41
    async with bench.notifier():
        jobs = [await bench.ended(HOOK) for _ in range(30)]
        await asyncio.sleep(29)

        # Less a part by chance the pauses are 3.975, 7.95 and 15.9 s, with one try after each.
        assert sick.times_s == [0.0, 0.0, 0.0, 0.0, 0.0, 4.0, 11.9, 27.8]
        states = [await bench.state(job_id) for job_id in jobs]
        assert sum(state.tries for state in states) == 8
        assert events(caplog).count("receiver.paused") == 4


@virtual
async def test_the_first_success_after_a_pause_lets_all_through(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sick = FakeReceiver(HOOK, answers=[failed()] * 5, takes_s=0.1)
    bench = Bench.of(sick)
    async with bench.notifier():
        jobs = [await bench.ended(HOOK) for _ in range(30)]
        await bench.until_settled(6)
        await until(lambda: len(sick.told) == 35)
        await bench.until_settled(35)

        assert {(await bench.state(job_id)).status for job_id in jobs} == {DeliveryStatus.DELIVERED}
        assert [event for event in events(caplog) if event.startswith("receiver.")] == [
            "receiver.paused",
            "receiver.back",
        ]


@virtual
async def test_an_overloaded_receiver_is_left_alone_for_as_long_as_it_asks() -> None:
    sick, well = FakeReceiver(HOOK, answers=[failed("http_429", retry_after_s=60)]), FakeReceiver(CONVEX)
    bench = Bench.of(sick, well)
    async with bench.notifier():
        await bench.ended(HOOK)
        await bench.until_settled()
        for _ in range(5):
            await bench.ended(HOOK, CONVEX)
        await asyncio.sleep(61)

        assert len(sick.told) == 7
        assert sick.times_s[0] == 0.0
        assert min(sick.times_s[1:]) >= 60.0
        assert max(well.times_s) < 1.0


@virtual
async def test_one_failure_among_successes_pauses_nobody() -> None:
    hook = FakeReceiver(HOOK, answers=[failed(), failed(), TAKEN] * 10, concurrency=1)
    bench = Bench.of(hook)
    async with bench.notifier():
        for _ in range(10):
            await bench.ended(HOOK)
        await until(lambda: len(hook.told) >= 10)

        assert now_s() < 1.0


@attrs.define(eq=False)
class Unreadable(FakeStore):
    """Redis is away for so many of the next reads of what is to be told."""

    unread: int = 0

    async def message(self, delivery: Delivery) -> Message:
        if self.unread:
            self.unread -= 1
            raise StoreUnavailable("made to fail")
        return await FakeStore.message(self, delivery)


@virtual
async def test_a_try_after_the_pause_that_was_not_made_keeps_nobody_from_the_next() -> None:
    sick, store = FakeReceiver(HOOK, answers=[failed()] * 5), Unreadable()
    bench = Bench(Receivers(configured=[sick]), store)
    async with bench.notifier():
        jobs = [await bench.ended(HOOK) for _ in range(6)]
        await until(lambda: len(sick.told) == 6)
        store.unread = 1
        await asyncio.sleep(15)

        states = [await bench.state(job_id) for job_id in jobs]
        assert {state.status for state in states} == {DeliveryStatus.DELIVERED}
        assert sorted(state.tries for state in states) == [1, 2, 2, 2, 2, 2]
