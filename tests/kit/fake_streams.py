"""The streams of a FakeStore: events and orders of each queue in lists, numbered as `<n>-0`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

import attrs

from chef_supervisor.domain.job import QueueName, RunId, queue_of
from chef_supervisor.store.answers import Gap, JobEvent, JobState, Order

START_MS = 1_700_000_000_000


@attrs.define(eq=False)
class FakeStreams:
    """What was told; whoever waits for more is woken."""

    events: dict[QueueName, list[JobEvent]] = attrs.field(factory=dict)
    orders: defaultdict[QueueName, list[Order]] = attrs.field(factory=lambda: defaultdict(list))
    _grown: asyncio.Condition = attrs.field(factory=asyncio.Condition)

    async def tell(self, state: JobState, kind: str = "") -> None:
        """Append an event of the job as it is."""
        queue = queue_of(state.job_id)
        stream = self.events.setdefault(queue, [])
        event = JobEvent(
            queue=queue,
            position=f"{number(stream[-1].position) + 1 if stream else 1}-0",
            kind=kind or f"job.{state.status}",
            job_id=state.job_id,
            type=state.type,
            status=state.status,
            progress=state.progress,
            at_ms=START_MS,
        )
        async with self._grown:
            stream.append(event)
            self._grown.notify_all()

    async def order(self, run: RunId) -> None:
        """Append an order to end that run."""
        orders = self.orders[queue_of(run.job_id)]
        async with self._grown:
            orders.append(Order(position=f"{len(orders) + 1}-0", run=run))
            self._grown.notify_all()

    async def wait(self, wanted: Callable[[], object], timeout_s: float) -> bool:
        """Returns: True once `wanted` is truthy, False when that took too long."""
        try:
            async with asyncio.timeout(timeout_s), self._grown:
                await self._grown.wait_for(lambda: bool(wanted()))
        except TimeoutError:
            return False
        return True

    async def wake(self) -> None:
        """Let those that wait look again."""
        async with self._grown:
            self._grown.notify_all()

    def after(self, queue: QueueName, position: str) -> Sequence[JobEvent | Gap]:
        """Returns: the events behind the position, a gap first where some were trimmed."""
        newer = self.newer(queue, position)
        if not newer or number(newer[0].position) == number(position) + 1:
            return newer
        return [Gap(queue, f"{number(newer[0].position) - 1}-0"), *newer]

    def newer(self, queue: QueueName, position: str) -> list[JobEvent]:
        """Returns: the events behind the position."""
        return [event for event in self.events.get(queue, ()) if number(event.position) > number(position)]

    def newer_orders(self, queue: QueueName, position: str) -> list[Order]:
        """Returns: the orders behind the position."""
        return [order for order in self.orders[queue] if number(order.position) > number(position)]


def number(position: str) -> int:
    """Returns: what positions are compared by."""
    return int(position.partition("-")[0])


def tail_of(stream: Sequence[JobEvent | Order]) -> str:
    """Returns: the newest position."""
    return stream[-1].position if stream else "0-0"
