"""What the notifier asks of the outbox: who has something due, in all queues. It tells once where Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import attrs

from chef_supervisor.domain.delivery import Delivery, ReceiverName
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import QueueName
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.outbox import MOST_RECEIVERS

log = logging.getLogger("chef.notifier")


@attrs.frozen
class Due:
    """`in_s`: when the first falls due, 0 for now; `queues`: where something is due now, or may be if not `sure`."""

    in_s: float
    queues: tuple[QueueName, ...] = ()
    sure: bool = True


@attrs.define(eq=False)
class Lookout:
    """
    `ours`: the receivers of the configuration, which must not wait behind a thousand hosts that do not answer. Nor may
    another host for ever: behind the first thousand, each look has the next.
    """

    store: JobStore
    queues: tuple[QueueName, ...]
    ours: Collection[ReceiverName]
    _looks: int = attrs.field(default=0, init=False)
    # Where the next look goes on; of queues where more is due than the store tells of at a time.
    _behind: dict[QueueName, int] = attrs.field(factory=dict, init=False)
    _away: bool = attrs.field(default=False, init=False)
    _failed: bool = attrs.field(default=False, init=False)

    async def due(self) -> dict[ReceiverName, Due]:
        """Returns: receivers that are to be told something; of a queue that Redis does not tell about, none."""
        self._tell_back()
        due: dict[ReceiverName, Due] = {}
        self._looks += 1
        # In turn, so that no queue has all that a receiver may be asked.
        first = self._looks % len(self.queues)
        for queue in self.queues[first:] + self.queues[:first]:
            found = await self._due_in(queue)
            for name, what in found.items():
                due[name] = _both(due.get(name), what)
        return due

    async def take(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery] | None:
        """Returns: what was due there, on lease; None where Redis is away."""
        try:
            return await self.store.take_deliveries(queue, receiver, slots)
        except StoreUnavailable as error:
            self._tell_away(error)
            return None

    async def _due_in(self, queue: QueueName) -> dict[ReceiverName, Due]:
        first = await self._told(queue, 0)
        if not _more_is_due(first):
            self._behind.pop(queue, None)
            return _all_due(queue, first)
        behind = await self._told_behind(queue)
        # By turns, so that neither has all the places that there are for callbacks.
        pages = (*first, *behind) if self._looks % 2 else (*behind, *first)
        return {name: Due(0.0, (queue,), sure=False) for name in self.ours} | _all_due(queue, pages)

    async def _told_behind(self, queue: QueueName) -> Sequence[tuple[ReceiverName, int]]:
        at = self._behind.get(queue, MOST_RECEIVERS)
        told = await self._told(queue, at)
        self._behind[queue] = at + MOST_RECEIVERS if _more_is_due(told) else MOST_RECEIVERS
        return told

    async def _told(self, queue: QueueName, offset: int) -> Sequence[tuple[ReceiverName, int]]:
        try:
            return await self.store.due_receivers(queue, offset)
        except StoreUnavailable as error:
            self._tell_away(error)
            return ()

    def _tell_away(self, error: StoreUnavailable) -> None:
        self._failed = True
        if not self._away:
            log.warning("deliveries wait: %s", error, extra={"event": "store.unavailable"})
        self._away = True

    def _tell_back(self) -> None:
        # After a look, and all that was taken, in which nothing failed.
        if self._away and not self._failed:
            log.info("deliveries go on", extra={"event": "store.back"})
            self._away = False
        self._failed = False


def _more_is_due(told: Sequence[tuple[ReceiverName, int]]) -> bool:
    return len(told) >= MOST_RECEIVERS and not told[-1][1]


def _all_due(queue: QueueName, told: Sequence[tuple[ReceiverName, int]]) -> dict[ReceiverName, Due]:
    return {name: _due(queue, in_ms) for name, in_ms in told}


def _due(queue: QueueName, in_ms: int) -> Due:
    # The store's milliseconds are rounded down.
    return Due((in_ms + 1) / 1000) if in_ms else Due(0.0, (queue,))


def _both(known: Due | None, other: Due) -> Due:
    if known is None:
        return other
    return Due(min(known.in_s, other.in_s), known.queues + other.queues, known.sure and other.sure)
