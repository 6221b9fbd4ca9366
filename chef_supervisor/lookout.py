"""What the notifier asks of the outbox: who has something due, in all queues. It tells once where Redis is away."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Final

import attrs

from chef_supervisor.domain.delivery import Delivery, ReceiverName
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import QueueName
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.notifier")
# So many receivers the store tells of at a time.
_MOST_TOLD: Final = 1000


@attrs.frozen
class Due:
    """`in_s`: when the first falls due, 0 for now; `queues`: where something is due now, or may be if not `sure`."""

    in_s: float
    queues: tuple[QueueName, ...] = ()
    sure: bool = True


@attrs.define(eq=False)
class Lookout:
    """`ours`: the receivers of the configuration, which must not wait behind a thousand hosts that do not answer."""

    store: JobStore
    queues: tuple[QueueName, ...]
    ours: Collection[ReceiverName]
    _looks: int = attrs.field(default=0, init=False)
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
            for name, in_ms in found:
                due[name] = _both(due.get(name), _due(queue, in_ms))
            if len(found) >= _MOST_TOLD:
                told = {name for name, _ in found}
                unsure = {name: Due(0.0, (queue,), sure=False) for name in self.ours if name not in told}
                due |= {name: _both(due.get(name), what) for name, what in unsure.items()}
        return due

    async def take(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery] | None:
        """Returns: what was due there, on lease; None where Redis is away."""
        try:
            return await self.store.take_deliveries(queue, receiver, slots)
        except StoreUnavailable as error:
            self._tell_away(error)
            return None

    async def _due_in(self, queue: QueueName) -> Sequence[tuple[ReceiverName, int]]:
        try:
            return await self.store.due_receivers(queue)
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


def _due(queue: QueueName, in_ms: int) -> Due:
    # The store's milliseconds are rounded down.
    return Due((in_ms + 1) / 1000) if in_ms else Due(0.0, (queue,))


def _both(known: Due | None, other: Due) -> Due:
    if known is None:
        return other
    return Due(min(known.in_s, other.in_s), known.queues + other.queues, known.sure and other.sure)
