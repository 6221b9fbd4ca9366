"""Where we are late ourselves, or Redis is, no receiver is blamed, and nothing turns in circles."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs

from chef_supervisor.domain.delivery import Delivery, Message, ReceiverName, Settlement
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import QueueName
from chef_supervisor.webhooks.receivers import Receivers
from tests.kit.fake_receiver import FakeReceiver
from tests.kit.fake_store import FakeStore
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.notifier_bench import HOOK, LEASE_S, Bench


@attrs.define(eq=False)
class Late(FakeStore):
    """The first answer of each takes so long. `unreadable`: messages cannot be read, while scripts work."""

    take_s: float = 0.0
    message_s: float = 0.0
    unreadable: bool = False

    async def take_deliveries(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery]:
        taken = await FakeStore.take_deliveries(self, queue, receiver, slots)
        late_s, self.take_s = self.take_s, 0.0
        await asyncio.sleep(late_s)
        return taken

    async def message(self, delivery: Delivery) -> Message:
        if self.unreadable:
            raise StoreUnavailable("made to fail")
        late_s, self.message_s = self.message_s, 0.0
        await asyncio.sleep(late_s)
        return await FakeStore.message(self, delivery)


def bench_of(store: Late, receiver: FakeReceiver) -> Bench:
    return Bench(Receivers(configured=[receiver]), store)


@virtual
async def test_what_cannot_be_read_is_looked_at_about_once_a_second_and_no_try_counts() -> None:
    hook, store = FakeReceiver(HOOK), Late(unreadable=True)
    bench = bench_of(store, hook)
    async with bench.notifier():
        job_id = await bench.ended(HOOK)
        await asyncio.sleep(30)
        assert 20 <= len(store.settlements) <= 31

        store.unreadable = False
        await asyncio.sleep(2)
        assert (len(hook.told), (await bench.state(job_id)).tries) == (1, 1)


@virtual
async def test_a_try_that_could_not_begin_in_time_is_not_made_and_blames_nobody() -> None:
    for store in (Late(take_s=LEASE_S - 5), Late(message_s=LEASE_S - 5), Late(message_s=LEASE_S * 0.3)):
        hook = FakeReceiver(HOOK)
        bench = bench_of(store, hook)
        async with bench.notifier():
            await bench.ended(HOOK)
            await bench.until_settled(2)

        told = [(settlement, reason) for _, settlement, reason, _ in store.settlements]
        assert told == [(Settlement.BACK, ""), (Settlement.TAKEN, "")]
        assert len(hook.told) == 1


@virtual
async def test_a_receiver_has_half_a_lease_for_its_answer_however_late_the_try_began() -> None:
    hook, store = FakeReceiver(HOOK, takes_s=LEASE_S / 2 - 0.1), Late(message_s=LEASE_S * 0.3 - 0.1)
    bench = bench_of(store, hook)
    async with bench.notifier():
        await bench.ended(HOOK)
        await bench.until_settled()

        assert store.settlements[0][1] is Settlement.TAKEN


@virtual
async def test_a_limit_holds_while_redis_is_slow_to_say_what_is_due() -> None:
    hook, store = FakeReceiver(HOOK, takes_s=14.0, concurrency=2), Late(take_s=6.0)
    bench = bench_of(store, hook)
    async with bench.notifier():
        for _ in range(6):
            await bench.ended(HOOK)
        await bench.until_settled(6)

        assert hook.most_under_way == 2
        assert now_s() < 50.0
