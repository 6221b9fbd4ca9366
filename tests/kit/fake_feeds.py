"""What can be waited for in a FakeStore: events and orders."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chef_supervisor.domain.job import QueueName
from chef_supervisor.store.answers import Gap, JobEvent, Order
from tests.kit.fake_outbox import FakeOutbox
from tests.kit.fake_streams import FakeStreams, tail_of


@attrs.define(eq=False)
class FakeFeeds(FakeOutbox):
    """`told`: all that was."""

    told: FakeStreams = attrs.field(factory=FakeStreams)

    @property
    def streams(self) -> dict[QueueName, list[JobEvent]]:
        """The events of each queue."""
        return self.told.events

    def trim(self, queue: QueueName, keep: int) -> None:
        """Forget all but the newest events."""
        del self.streams[queue][: len(self.streams[queue]) - keep]

    async def orders_tail(self, queue: QueueName) -> str:
        await self._enter("orders_tail")
        return tail_of(self.told.orders[queue])

    async def orders(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[Order]:
        await self._enter("orders")
        await self.told.wait(lambda: self.away or self.told.newer_orders(queue, after), timeout_s)
        self._refuse_if_away()
        return self.told.newer_orders(queue, after)

    async def tail(self, queue: QueueName) -> str:
        await self._enter("tail")
        return tail_of(self.streams.get(queue, ()))

    async def events(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[JobEvent | Gap]:
        await self._enter("events")
        await self.told.wait(lambda: self.away or self.told.newer(queue, after), timeout_s)
        self._refuse_if_away()
        return self.told.after(queue, after)

    async def go_away(self) -> None:
        """Fail from now on, also the calls that wait."""
        self.away = True
        await self.told.wake()
