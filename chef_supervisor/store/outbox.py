"""What receivers are to be told: who has something due, what it is, and what became of telling it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Final

from chef_supervisor.domain.delivery import Delivery, DeliveryState, Message, Settlement
from chef_supervisor.domain.errors import Bug, NotOverYet, UnknownJob
from chef_supervisor.domain.job import JobId, QueueName, queue_of
from chef_supervisor.domain.subscriber import ReceiverName, Subscriber
from chef_supervisor.store import codec, outbox_replies, subscribers
from chef_supervisor.store.answers import DeliveryCounts
from chef_supervisor.store.base import NONCE_BYTES, StoreBase
from chef_supervisor.store.connect import Command, Reply
from chef_supervisor.store.errors import bounded, of_job
from chef_supervisor.store.queue_commands import MAX_SLOTS, QueueCommands, is_delivery, lease_text

log = logging.getLogger("chef.store")
# One answer may tell of so many.
MOST_RECEIVERS: Final = 1_000
_DONE, _UNKNOWN = 1, 2


class Outbox(StoreBase):
    """Takes deliveries, settles them, and starts them again."""

    async def due_receivers(self, queue: QueueName, offset: int = 0) -> Sequence[tuple[ReceiverName, int]]:
        """See `JobStore`."""
        async with bounded(self._timeout_s):
            flat = await self._at(queue).due.call((offset, MOST_RECEIVERS))
        return [(ReceiverName(name.decode()), in_ms) for name, in_ms in zip(flat[::2], flat[1::2], strict=True)]

    async def take_deliveries(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery]:
        """See `JobStore`."""
        commands, nonce = self._at(queue), secrets.token_hex(NONCE_BYTES)
        async with bounded(self._timeout_s):
            rows = await commands.deliver.call(
                (receiver, nonce, max(0, min(slots, MAX_SLOTS)), self._address(receiver))
            )
        _tell_ended(queue, receiver, [row for row in rows if not is_delivery(row)])
        taken = [_delivery(commands, receiver, nonce, row) for row in rows if is_delivery(row)]
        return [delivery for delivery in taken if delivery is not None]

    async def settle(self, delivery: Delivery, settlement: Settlement, *, reason: str = "", delay_ms: int = 0) -> bool:
        """See `JobStore`."""
        item = (
            delivery.job_id,
            delivery.receiver,
            delivery.lease,
            settlement,
            max(0, delay_ms),
            codec.one_line(reason),
            self._address(delivery.receiver),
        )
        async with bounded(self._timeout_s):
            return bool(await self._of(delivery.job_id).delivered.call(item))

    async def deliveries(
        self, job_id: JobId, receivers: Sequence[ReceiverName] | None = None
    ) -> tuple[DeliveryState, ...]:
        """See `JobStore`."""
        keys = self._of(job_id).keys
        with of_job(job_id):
            names = await self._receivers(job_id) if receivers is None else receivers
            reads: list[Command] = []
            for name in names:
                reads.append(("HMGET", keys.delivery(job_id, name), *outbox_replies.STATE_FIELDS))
                reads.append(("ZSCORE", keys.outbox(name), job_id))
            found = await self._rows(reads)
            rows = zip(names, found[::2], found[1::2], strict=True)
            states = [outbox_replies.state(name, fields, due) for name, fields, due in rows]
        return tuple(state for state in states if state is not None)

    async def redeliver(self, job_id: JobId, receiver: ReceiverName | None) -> tuple[ReceiverName, ...]:
        """See `JobStore`."""
        async with bounded(self._timeout_s):
            with of_job(job_id):
                code, status, names = await self._of(job_id).redeliver.call((job_id, receiver or ""))
        if code == _UNKNOWN:
            raise UnknownJob(job_id)
        if code != _DONE:
            raise NotOverYet(job_id, status.decode(), "redelivery")
        if names:
            self.on_change(queue_of(job_id))
        return tuple(ReceiverName(name.decode()) for name in names)

    async def message(self, delivery: Delivery) -> Message:
        """See `JobStore`."""
        keys = self._of(delivery.job_id).keys
        reads: list[Command] = [("HMGET", keys.job(delivery.job_id), *outbox_replies.MESSAGE_FIELDS)]
        if delivery.kind.terminal:
            reads.append(("GET", keys.result(delivery.job_id)))
        try:
            fields, *stored = await self._plain.run(*reads)
            result = await codec.unpack(stored[0]) if stored and stored[0] is not None else None
            return outbox_replies.message(delivery, fields, result)
        except (Bug, ValueError):
            # What cannot be read is as good as forgotten; that the job is over is told in any case.
            return outbox_replies.message(delivery, [None] * len(outbox_replies.MESSAGE_FIELDS), None)

    async def _rows(self, reads: Sequence[Command]) -> list[Reply]:
        try:
            return await self._plain.run(*reads) if reads else []
        except Bug:
            # What somebody else put in the place of one is no row: one by one, so that it hides no other.
            return [await self._row(read) for read in reads]

    async def _row(self, read: Command) -> Reply:
        try:
            [row] = await self._plain.run(read)
        except Bug:
            return [None] * len(outbox_replies.STATE_FIELDS) if read[0] == "HMGET" else None
        return row

    def _address(self, receiver: ReceiverName) -> str:
        return self._config.addresses.get(receiver, "")

    async def _receivers(self, job_id: JobId) -> Sequence[ReceiverName]:
        [(status, stored)] = await self._plain.run(("HMGET", self._of(job_id).keys.job(job_id), "status", "receivers"))
        if status is None:
            raise UnknownJob(job_id)
        return [subscriber.receiver for subscriber in _subscribers(stored)]

    async def delivery_counts(self) -> dict[QueueName, DeliveryCounts]:
        """See `JobStore`."""
        reads = [("HMGET", queue.keys.key("counters"), *outbox_replies.COUNTERS) for queue in self._queues.values()]
        found = await self._plain.run(*reads)
        return {queue: outbox_replies.counts(row) for queue, row in zip(self._queues, found, strict=True)}


def _delivery(commands: QueueCommands, receiver: ReceiverName, nonce: str, row: Sequence[Reply]) -> Delivery | None:
    lease = lease_text(row[1].decode(), nonce)
    try:
        return outbox_replies.delivery(receiver, lease, row)
    except ValueError:
        # Whoever takes it next would be no wiser: it must not come back for ever.
        commands.delivered.post((row[0], receiver, lease, Settlement.ENDED, 0, "unreadable", ""))
        return None


def _subscribers(stored: bytes | None) -> Sequence[Subscriber]:
    try:
        return subscribers.decode(stored)
    except ValueError as error:
        raise Bug(str(error)) from error


def _tell_ended(queue: QueueName, receiver: ReceiverName, ended: Sequence[Sequence[Reply]]) -> None:
    if ended:
        reason = ended[0][2].decode(errors="replace")
        extra = {"event": "delivery.dropped", "queue": queue, "receiver": receiver, "deliveries": len(ended)}
        log.warning("%s deliveries to %s are not tried any more: %s", len(ended), receiver, reason, extra=extra)
