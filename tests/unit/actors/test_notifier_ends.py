"""Receivers that want nothing more, that are none of ours, and those that jobs name themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from chef_supervisor.domain.delivery import Delivery, DeliveryStatus, ReceiverName, Subscriber
from chef_supervisor.domain.job import QueueName
from chef_supervisor.webhooks.policy import callback_name
from chef_supervisor.webhooks.receivers import Receivers
from tests.kit.fake_receiver import GONE, FakeReceiver
from tests.kit.fake_store import FakeStore
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.notifier_bench import CONVEX, HOOK, PASSED, Bench

HOSTS = 20


@virtual
async def test_a_receiver_that_answers_gone_is_told_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    hook, convex = FakeReceiver(HOOK, rest=GONE), FakeReceiver(CONVEX)
    bench = Bench.of(hook, convex)
    async with bench.notifier():
        await bench.ended(HOOK)
        await bench.until_settled()
        later = [await bench.ended(HOOK) for _ in range(100)]
        await bench.ended(CONVEX)
        await until(lambda: len(convex.told) == 1)
        await asyncio.sleep(2)

        assert len(hook.told) == 1
        states = [await bench.state(job_id) for job_id in later]
        assert {(state.status, state.reason) for state in states} == {(DeliveryStatus.UNDELIVERABLE, "gone")}
        assert [getattr(record, "event", "") for record in caplog.records].count("receiver.gone") == 1


@attrs.define(eq=False)
class Piecemeal(FakeStore):
    """So many times a take finds only what it ends itself."""

    hopeless: int = 0

    async def take_deliveries(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery]:
        if self.hopeless:
            self.hopeless -= 1
            return ()
        return await FakeStore.take_deliveries(self, queue, receiver, slots)


@virtual
async def test_what_is_due_behind_much_that_had_its_end_is_told_soon() -> None:
    hook = FakeReceiver(HOOK)
    bench = Bench(Receivers(configured=[hook]), Piecemeal(hopeless=20))
    async with bench.notifier():
        await bench.ended(HOOK)
        await until(lambda: len(hook.told) == 1)

        assert now_s() < 1.0


@virtual
async def test_what_is_for_a_receiver_of_another_configuration_waits_and_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    convex = FakeReceiver(CONVEX)
    bench = Bench.of(convex)
    async with bench.notifier():
        jobs = [await bench.ended(name) for name in (ReceiverName("hook.old"), callback_name("example.com"))]
        await bench.ended(CONVEX)
        await bench.until_settled()
        await asyncio.sleep(25)

        states = [await bench.state(job_id) for job_id in jobs]
        assert {(state.status, state.tries) for state in states} == {(DeliveryStatus.WAITING, 0)}
        assert [getattr(record, "event", "") for record in caplog.records].count("receiver.unknown") == 2
        assert bench.store.calls["take_deliveries"] in range(6, 9)


@attrs.define(eq=False)
class Hosts:
    """Makes receivers for hosts, and counts those that are there."""

    takes_s: float = 1.0
    hang: bool = False
    well: str = "well.example.com"
    made: list[FakeReceiver] = attrs.field(factory=list)
    most_there: int = 0

    def make(self, host: str) -> FakeReceiver:
        self.made.append(FakeReceiver(callback_name(host), takes_s=self.takes_s, hangs=self.hang and host != self.well))
        self.most_there = max(self.most_there, self.there)
        return self.made[-1]

    @property
    def there(self) -> int:
        return sum(not one.closed for one in self.made)


def calling_back(hosts: Hosts, *configured: FakeReceiver) -> Bench:
    return Bench(Receivers(configured=configured, callback=hosts.make, most_callbacks=4, idle_s=30.0))


async def called_back(bench: Bench, host: str) -> None:
    subscriber = Subscriber(receiver=callback_name(host), progress=False, url=f"https://{host}/told")
    claim = await bench.claim(subscriber)
    assert await bench.store.finish(claim.job_id, claim.fence, PASSED)


@virtual
async def test_callbacks_to_more_hosts_than_may_be_open_are_all_made_in_turn_and_closed_when_idle() -> None:
    hosts = Hosts(takes_s=0.1)
    bench = calling_back(hosts)
    async with bench.notifier():
        for number in range(HOSTS):
            await called_back(bench, f"h{number}.example.com")
        await bench.until_settled(HOSTS)

        told = [message.url for one in hosts.made for _, message in one.told]
        assert sorted(told) == sorted(f"https://h{number}.example.com/told" for number in range(HOSTS))
        assert hosts.most_there == 4
        assert max(at_s for one in hosts.made for at_s in one.times_s) < 1.0
        await asyncio.sleep(40)
        assert hosts.there == 0


@virtual
async def test_hosts_that_hang_hold_up_no_receiver_of_the_configuration() -> None:
    hosts, convex = Hosts(hang=True), FakeReceiver(CONVEX)
    bench = calling_back(hosts, convex)
    async with bench.notifier():
        for number in range(HOSTS):
            await called_back(bench, f"h{number}.example.com")
        await until(lambda: hosts.there == 4)
        await bench.ended(CONVEX)
        await until(lambda: len(convex.told) == 1)

        assert now_s() < 1.0


@virtual
async def test_hosts_that_are_silent_hold_up_a_healthy_one_for_seconds_alone() -> None:
    hosts = Hosts(hang=True)
    bench = calling_back(hosts)
    async with bench.notifier():
        for number in range(11):
            await called_back(bench, f"h{number}.example.com")
        await called_back(bench, hosts.well)
        await bench.until_settled()

        assert bench.store.settlements[0][0].receiver == callback_name(hosts.well)
        assert now_s() < 8.0


@virtual
async def test_a_host_is_asked_once_at_a_time_until_it_answers() -> None:
    hosts = Hosts(takes_s=1.0)
    bench = calling_back(hosts)
    async with bench.notifier():
        for _ in range(9):
            await called_back(bench, hosts.well)
        await bench.until_settled(9)

        [well] = hosts.made
        assert well.times_s == [0.0] + [1.0] * 8
