"""Orders reach the pool of their queue, also after Redis was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs

from chef_supervisor.actors.courier import Courier
from chef_supervisor.domain.job import Fence, JobId, QueueName, RunId
from chef_supervisor.kernel import Actor, ChildSpec, Ref
from chef_supervisor.leases.leases import OnLost
from chef_supervisor.protocol import EndRun
from tests.kit.fake_store import FakeStore
from tests.kit.recording import alone, until
from tests.kit.virtual_time import now_s, settle, virtual

BUILDS, TESTS = QueueName("builds"), QueueName("tests")
FIRST, SECOND, THIRD = (RunId(JobId("builds.0_" + letter * 26), 1) for letter in "abc")
ELSEWHERE = RunId(JobId("tests.0_" + "d" * 26), 3)


@attrs.define(eq=False)
class Listener(Actor[Any]):
    """A pool that notes what it is told."""

    told: list[object]

    async def receive(self, message: object) -> None:
        self.told.append(message)


@attrs.define(eq=False)
class Bell:
    """Leases, of which only one thing is asked here."""

    rung: int = 0

    def hold(self, run: RunId, fence: Fence, on_lost: OnLost) -> None:
        raise NotImplementedError

    def drop(self, run: RunId, fence: Fence) -> None:
        raise NotImplementedError

    def renew_soon(self) -> None:
        self.rung += 1


@attrs.define(eq=False)
class Post:
    """A courier, its pools and its store."""

    store: FakeStore = attrs.field(factory=FakeStore)
    leases: Bell = attrs.field(factory=Bell)
    pools: Mapping[QueueName, Ref[Any]] = attrs.field(factory=lambda: {BUILDS: Ref(BUILDS), TESTS: Ref(TESTS)})
    told: Mapping[QueueName, list[object]] = attrs.field(factory=lambda: {BUILDS: [], TESTS: []})

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run it; it reads from here on."""
        courier = lambda: Courier(store=self.store, pools=self.pools, leases=self.leases)  # noqa: E731
        async with alone(Ref("courier"), courier, *map(self._listener, self.pools)):
            # Nothing is waited for: once it has started, it misses no order.
            await until(lambda: "orders_tail" in self.store.calls)
            yield

    def _listener(self, queue: QueueName) -> ChildSpec:
        return ChildSpec(self.pools[queue], lambda: Listener(self.told[queue]))


@virtual
async def test_an_order_reaches_the_pool_of_its_queue_at_once() -> None:
    it = Post()
    async with it.open():
        ordered_s = now_s()
        await it.store.told.order(FIRST)
        await it.store.told.order(ELSEWHERE)
        await settle()

        assert now_s() == ordered_s

    assert it.told == {BUILDS: [EndRun(FIRST)], TESTS: [EndRun(ELSEWHERE)]}


@virtual
async def test_orders_from_before_are_nobodys_business() -> None:
    it = Post()
    await it.store.told.order(FIRST)

    async with it.open():
        await it.store.told.order(SECOND)
        await settle()

    assert it.told[BUILDS] == [EndRun(SECOND)]


@virtual
async def test_orders_given_while_redis_could_not_be_reached_are_told_once_it_can() -> None:
    it = Post()
    async with it.open():
        await it.store.told.order(FIRST)
        await settle()
        await it.store.go_away()
        await it.store.told.order(SECOND)
        await asyncio.sleep(60)
        it.store.away = False
        await it.store.told.order(THIRD)
        await asyncio.sleep(1.5)

    assert it.told[BUILDS] == [EndRun(FIRST), EndRun(SECOND), EndRun(THIRD)]


@virtual
async def test_a_courier_that_starts_without_redis_begins_when_it_is_there() -> None:
    it = Post()
    it.store.away = True
    async with it.open():
        await asyncio.sleep(60)
        it.store.away = False
        await asyncio.sleep(1.5)

        await it.store.told.order(FIRST)
        await settle()

    assert it.told[BUILDS] == [EndRun(FIRST)]


@virtual
async def test_where_the_pool_is_gone_the_leases_are_asked_about_at_once() -> None:
    it = Post()
    async with it.open():
        # As in a stop: the runners' grace outlives the pools.
        it.pools[BUILDS].close()

        await it.store.told.order(FIRST)
        await settle()

        assert it.leases.rung == 1
        await it.store.told.order(ELSEWHERE)
        await settle()

    assert it.told[TESTS] == [EndRun(ELSEWHERE)]
