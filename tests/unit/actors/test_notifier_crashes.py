"""What crashes under the notifier costs itself alone: a try of one event, or what is for one receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import attrs
import pytest

from chef_supervisor.domain.delivery import Delivery, DeliveryStatus, ReceiverName, Settlement
from chef_supervisor.domain.job import QueueName
from chef_supervisor.kernel import Context, Ref
from chef_supervisor.webhooks.policy import callback_name
from chef_supervisor.webhooks.receivers import Receivers
from tests.kit.fake_receiver import FakeReceiver
from tests.kit.fake_store import FakeStore
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.notifier_bench import CONVEX, HOOK, LEASE_S, Bench

SICK, WELL = callback_name("sick.example.com"), callback_name("well.example.com")
FAULT = RuntimeError("made to fail")


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "event", "") for record in caplog.records]


@virtual
async def test_a_try_that_crashes_has_failed_and_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    convex = FakeReceiver(CONVEX, breaks=[FAULT], takes_s=0.1)
    bench = Bench.of(convex)
    async with bench.notifier():
        jobs = [await bench.ended(CONVEX) for _ in range(3)]
        await bench.until_settled(3)

        assert now_s() < 1.0
        [crashed] = [one for one in bench.store.settlements if one[1] is not Settlement.TAKEN]
        assert crashed[1:] == (Settlement.AGAIN, "internal_error", 5_000)
        await bench.until_settled(4)
        assert {(await bench.state(job_id)).status for job_id in jobs} == {DeliveryStatus.DELIVERED}
        assert (events(caplog).count("delivery.crashed"), events(caplog).count("actor.crashed")) == (1, 0)


@virtual
async def test_events_whose_tries_all_crash_have_their_end_by_the_schedule_and_pause_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    convex = FakeReceiver(CONVEX, breaks=[FAULT] * 56)
    bench = Bench.of(convex)
    async with bench.notifier():
        poison = [await bench.ended(CONVEX) for _ in range(8)]
        for tries in range(1, 8):
            await bench.until_settled(8 * tries)
            bench.skip_s(40_000)
        well = await bench.ended(CONVEX)
        await bench.until_settled(57)

        states = {(one.status, one.reason, one.tries) for one in [await bench.state(job_id) for job_id in poison]}
        assert states == {(DeliveryStatus.UNDELIVERABLE, "internal_error", 7)}
        assert (await bench.state(well)).status is DeliveryStatus.DELIVERED
        assert "actor.crashed" not in events(caplog)
        assert "receiver.paused" not in events(caplog)


@attrs.define(eq=False)
class Faulty(FakeStore):
    """Crashes so often where it is told what became of a delivery; or always where that receiver's are taken."""

    unsettled: int = 0
    untaken: ReceiverName | None = None
    undue: int = 0

    async def settle(self, *args: Any, **kwargs: Any) -> bool:
        if self.unsettled:
            self.unsettled -= 1
            raise FAULT
        return await FakeStore.settle(self, *args, **kwargs)

    async def take_deliveries(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery]:
        if receiver == self.untaken:
            raise FAULT
        return await FakeStore.take_deliveries(self, queue, receiver, slots)

    async def due_receivers(self, queue: QueueName, offset: int = 0) -> Sequence[tuple[ReceiverName, int]]:
        if self.undue:
            self.undue -= 1
            raise FAULT
        return await FakeStore.due_receivers(self, queue, offset)


@virtual
async def test_an_outcome_that_cannot_be_told_leaves_the_event_to_the_next_lease(
    caplog: pytest.LogCaptureFixture,
) -> None:
    convex, store = FakeReceiver(CONVEX), Faulty(unsettled=1)
    bench = Bench(Receivers(configured=[convex]), store)
    async with bench.notifier():
        job_id = await bench.ended(CONVEX)
        await asyncio.sleep(LEASE_S + 2)

        assert (await bench.state(job_id)).status is DeliveryStatus.DELIVERED
        assert len({message.event_id for _, message in convex.told}) == 1
        assert "actor.crashed" not in events(caplog)


@virtual
async def test_a_receiver_whose_events_cannot_be_taken_costs_no_other_and_is_looked_at_ever_less(
    caplog: pytest.LogCaptureFixture,
) -> None:
    convex = FakeReceiver(CONVEX)
    bench = Bench(Receivers(configured=[convex, FakeReceiver(HOOK)]), Faulty(untaken=HOOK))
    async with bench.notifier():
        await bench.ended(HOOK)
        for _ in range(60):
            await bench.ended(CONVEX)
            await asyncio.sleep(1.0)

        assert len(convex.told) == 60
        assert "actor.crashed" not in events(caplog)
        assert events(caplog).count("receiver.paused") in range(3, 7)
        assert events(caplog).count("delivery.crashed") < 12


@virtual
async def test_a_callback_that_cannot_be_made_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def make(host: str) -> FakeReceiver:
        if callback_name(host) == SICK:
            raise FAULT
        return well

    well = FakeReceiver(WELL)
    bench = Bench(Receivers(configured=[], callback=make))
    async with bench.notifier():
        await bench.ended(SICK)
        await bench.ended(WELL)
        await until(lambda: len(well.told) == 1)

        assert "actor.crashed" not in events(caplog)


@virtual
async def test_a_crash_of_the_notifier_itself_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    convex, store = FakeReceiver(CONVEX, takes_s=0.5), Faulty()
    bench = Bench(Receivers(configured=[convex]), store)
    async with bench.notifier():
        jobs = [await bench.ended(CONVEX) for _ in range(3)]
        await until(lambda: len(convex.under_way) == 3)
        store.undue = 1
        bench.changed.set()
        await bench.until_settled(6)

        assert events(caplog).count("actor.crashed") == 1
        assert [one[1] for one in store.settlements] == [Settlement.BACK] * 3 + [Settlement.TAKEN] * 3
        assert {(await bench.state(job_id)).tries for job_id in jobs} == {1}


class Dying(Context):
    """Of an actor that dies while something was taken: no try begins any more."""

    def spawn(self, coro: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        if name.startswith("deliver"):
            coro.close()
            raise RuntimeError("shutting down")
        return super().spawn(coro, name=name)


@virtual
async def test_what_was_taken_by_one_that_dies_holds_no_receiver() -> None:
    well = FakeReceiver(WELL)
    bench = Bench(Receivers(configured=[], callback=lambda _: well, idle_s=30.0))
    await bench.ended(WELL)
    notifier = bench.build()
    async with asyncio.TaskGroup() as group:
        notifier.ctx = Dying(Ref("notifier"), "test", group)
        await notifier.on_start()
        await asyncio.sleep(0.5)
        notifier.ctx.cancel_helpers()
    await bench.receivers.tidy(now_s() + 30.0)

    assert (well.told, well.closed) == ([], True)
