"""Random histories of two supervisors that deliver: in order, one at a time, and the end last and at least once."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
import redis

from chef_supervisor.domain.delivery import Delivery, Settlement
from chef_supervisor.domain.job import Claim, JobId
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, FAILED, PASSED, Clock
from tests.integration.store.telling import (
    CALLBACK,
    CONVEX,
    DELIVERY_LEASE_MS,
    HOOK,
    URL,
    Make,
    keys_of_deliveries,
    start,
    take_all,
    to,
)

pytestmark = pytest.mark.asyncio
RECEIVERS = (CONVEX, HOOK, CALLBACK)
STEPS = 120


class History:
    """What was handed out, lane by lane. Who forgets what it took has crashed."""

    def __init__(self, seed: int, stores: Sequence[RedisJobStore], clock: Clock) -> None:
        self.random, self.stores, self.clock = random.Random(seed), stores, clock
        self.running: list[Claim] = []
        self.ended: set[JobId] = set()
        self.on_the_way: list[tuple[Delivery, int]] = []
        self.last: dict[tuple[JobId, ReceiverName], Delivery] = {}
        self.sent_ms: dict[tuple[JobId, ReceiverName], int] = {}
        self.taken: defaultdict[tuple[JobId, ReceiverName], list[Delivery]] = defaultdict(list)

    async def step(self) -> None:
        actions = (self.start, self.progress, self.progress, self.end, self.take, self.take, self.settle, self.settle)
        await self.random.choice((*actions, self.crash, self.let_time_pass, self.let_time_pass))()

    async def start(self) -> None:
        subscribers = (to(CONVEX), to(HOOK, progress=False), to(CALLBACK, url=URL))
        self.running.append(await start(self.stores[0], *subscribers))

    async def progress(self) -> None:
        for claim in self.running:
            await self.stores[0].progress(claim.job_id, claim.fence, self.random.randrange(100))

    async def end(self) -> None:
        if self.running:
            claim = self.running.pop(self.random.randrange(len(self.running)))
            await self.stores[0].finish(claim.job_id, claim.fence, self.random.choice((PASSED, FAILED)))
            self.ended.add(claim.job_id)

    async def take(self) -> None:
        receiver = self.random.choice(RECEIVERS)
        for delivery in await take_all(self.random.choice(self.stores), receiver, self.random.randrange(1, 4)):
            self.look_at(delivery)
            self.on_the_way.append((delivery, self.clock.ms + DELIVERY_LEASE_MS))

    def look_at(self, delivery: Delivery) -> None:
        lane = (delivery.job_id, delivery.receiver)
        held = {(one.job_id, one.receiver) for one, until in self.on_the_way if until > self.clock.ms}
        assert lane not in held
        assert not [one for one in self.taken[lane] if one.seq >= delivery.seq]
        before = self.last.get(lane, delivery)
        assert before.seq < delivery.seq or before.event_id == delivery.event_id
        assert not before.kind.terminal or delivery.kind is before.kind
        if before.seq < delivery.seq and not delivery.kind.terminal:
            assert self.clock.ms - self.sent_ms[lane] >= 1_000
        self.last[lane], self.sent_ms[lane] = delivery, self.clock.ms

    async def settle(self) -> None:
        if self.on_the_way:
            delivery, until = self.on_the_way.pop(self.random.randrange(len(self.on_the_way)))
            settlement = self.random.choice((Settlement.TAKEN, Settlement.TAKEN, Settlement.AGAIN, Settlement.BACK))
            delay_ms = self.random.choice((0, 700, 5_000))
            ours = await self.random.choice(self.stores).settle(delivery, settlement, delay_ms=delay_ms)
            assert ours or until <= self.clock.ms
            if ours and settlement is Settlement.TAKEN:
                self.taken[delivery.job_id, delivery.receiver].append(delivery)

    async def crash(self) -> None:
        if self.on_the_way:
            self.on_the_way.pop()

    async def let_time_pass(self) -> None:
        self.clock.pass_ms(self.random.choice((1, 300, 1_000, 12_000, DELIVERY_LEASE_MS)))

    async def to_the_end(self) -> None:
        """All jobs end, nobody crashes any more, and all is taken."""
        while self.running:
            await self.end()
        self.on_the_way.clear()
        self.clock.pass_ms(DELIVERY_LEASE_MS)
        for receiver in RECEIVERS:
            while deliveries := await take_all(self.stores[1], receiver):
                for delivery in deliveries:
                    self.look_at(delivery)
                    assert await self.stores[1].settle(delivery, Settlement.TAKEN)
                    self.taken[delivery.job_id, delivery.receiver].append(delivery)


def look_at_outboxes(raw: redis.Redis, keys: str) -> None:
    """Its alarm is that of its first lane, and the count of those that wait is right."""
    alarms = dict(raw.zrange(f"{keys}outboxes", 0, -1, withscores=True))  # type: ignore[arg-type]
    lanes = {name: raw.zrange(f"{keys}outbox:{name}", 0, -1, withscores=True) for name in RECEIVERS}
    first = {name.encode(): rows[0][1] for name, rows in lanes.items() if rows}
    assert alarms == first
    waiting = raw.hget(f"{keys}counters", "deliveries_waiting")
    assert int(waiting or 0) == sum(len(rows) for rows in lanes.values())


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_each_lane_is_in_order_and_ends_with_the_end(
    make_store: Make, clock: Clock, raw: redis.Redis, prefix: str, seed: int
) -> None:
    history = History(seed, (make_store(), make_store()), clock)
    for _ in range(STEPS):
        await history.step()
        look_at_outboxes(raw, f"{prefix}:{{builds.0}}:")

    await history.to_the_end()

    assert history.ended
    for job_id in history.ended:
        for receiver in RECEIVERS:
            assert history.taken[job_id, receiver][-1].kind.terminal
    assert await history.stores[0].due_receivers(BUILDS) == []
    assert {key.partition(":")[0] for key in keys_of_deliveries(raw, prefix)} == {"delivery"}
