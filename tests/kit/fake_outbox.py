"""The outbox of a FakeStore: one row a job and receiver, by the rules of `lua/lib/outbox.lua`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import attrs

from chef_supervisor.domain.delivery import Delivery, DeliveryState, DeliveryStatus, EventKind, Message, Settlement
from chef_supervisor.domain.errors import NotOverYet, UnknownJob
from chef_supervisor.domain.job import JobId, QueueName, queue_of
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.store.answers import DeliveryCounts, JobState
from chef_supervisor.store.outbox import MOST_RECEIVERS
from tests.kit.fake_jobs import Held
from tests.kit.fake_logs import FakeLogs
from tests.kit.fake_rows import END_STEP, Row
from tests.kit.fake_streams import START_MS


@attrs.define(eq=False)
class FakeOutbox(FakeLogs):
    """
    `rows`: the latest event of each job and receiver; `disabled`: who answered 410. Nothing is ever too old.

    `delivery_clock_ms`: the clock that deliveries fall due by; the loop's where none is given.
    """

    on_change: Callable[[QueueName], None] = lambda _queue: None
    delivery_clock_ms: Callable[[], float] | None = None
    rows: dict[tuple[JobId, ReceiverName], Row] = attrs.field(factory=dict)
    disabled: set[ReceiverName] = attrs.field(factory=set)
    settlements: list[tuple[Delivery, Settlement, str, int]] = attrs.field(factory=list)
    totals: dict[QueueName, DeliveryCounts] = attrs.field(factory=dict)
    _leases: int = 0

    async def due_receivers(self, queue: QueueName, offset: int = 0) -> Sequence[tuple[ReceiverName, int]]:
        await self._enter("due_receivers")
        first: dict[ReceiverName, float] = {}
        for (job_id, receiver), row in self.rows.items():
            if queue_of(job_id) == queue and row.state is DeliveryStatus.WAITING:
                first[receiver] = min(row.due_ms, first.get(receiver, row.due_ms))
        soonest = sorted(first.items(), key=lambda one: one[1])[offset:][:MOST_RECEIVERS]
        return [(name, max(0, int(due - self._clock_ms()))) for name, due in soonest]

    async def take_deliveries(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery]:
        await self._enter("take_deliveries")
        now = self._clock_ms()
        due = [(key, row) for key, row in self.rows.items() if key[1] == receiver and queue_of(key[0]) == queue]
        due = [(key, row) for key, row in due if row.state is DeliveryStatus.WAITING and row.due_ms <= now]
        taken: list[Delivery] = []
        for (job_id, _), row in sorted(due, key=lambda one: one[1].due_ms):
            if receiver in self.disabled and not row.forced:
                self._count(queue, undeliverable=row.end(lost=True, reason="gone"))
            elif len(taken) < slots:
                self._leases += 1
                taken.append(row.lease_out(job_id, receiver, f"{row.seq}:{self._leases}", now))
                self._count(queue, tries=1)
        return taken

    async def settle(self, delivery: Delivery, settlement: Settlement, *, reason: str = "", delay_ms: int = 0) -> bool:
        await self._enter("settle")
        row = self.rows.get((delivery.job_id, delivery.receiver))
        if row is None or row.lease != delivery.lease:
            return row is not None and row.settled == delivery.lease
        self.settlements.append((delivery, settlement, reason, delay_ms))
        queue = queue_of(delivery.job_id)
        row.lease, row.settled = None, delivery.lease
        if settlement is Settlement.TAKEN:
            self._count(queue, delivered=1)
            self.disabled -= {delivery.receiver} if row.forced else set()
        if settlement is Settlement.GONE:
            row.closed = delivery.receiver.startswith("callback.")
            self.disabled |= set() if row.closed else {delivery.receiver}
        self._count(queue, undeliverable=row.answer(delivery.seq, settlement, reason, delay_ms, self._clock_ms()))
        self._count(queue, tries=-1 if settlement is Settlement.BACK and row.seq == delivery.seq else 0)
        return True

    async def message(self, delivery: Delivery) -> Message:
        await self._enter("message")
        held = self.jobs.get(delivery.job_id)
        of_job = {} if held is None else _of_job(held, delivery)
        of_event = {name: getattr(delivery, name) for name in ("job_id", "seq", "kind", "type", "status", "progress")}
        rest = {"at_ms": delivery.at_ms, "url": delivery.url, "event_id": delivery.event_id}
        return Message(**{"tenant": None, "forgotten": held is None} | of_event | rest | of_job)

    async def deliveries(
        self, job_id: JobId, receivers: Sequence[ReceiverName] | None = None
    ) -> tuple[DeliveryState, ...]:
        await self._enter("deliveries")
        if job_id not in self.jobs and receivers is None:
            raise UnknownJob(job_id)
        names = self.jobs[job_id].state.receivers if receivers is None else receivers
        told = [(name, self.rows.get((job_id, name))) for name in names]
        return tuple(row.shown(receiver) for receiver, row in told if row is not None)

    async def redeliver(self, job_id: JobId, receiver: ReceiverName | None) -> tuple[ReceiverName, ...]:
        await self._enter("redeliver")
        if job_id not in self.jobs:
            raise UnknownJob(job_id)
        held = self.jobs[job_id]
        if not held.state.status.terminal:
            raise NotOverYet(job_id, held.state.status, "redelivery")
        names = [one.receiver for one in held.job.subscribers if receiver in {None, one.receiver}]
        for name in names:
            self.rows[job_id, name].begin_again(self._clock_ms())
        if names:
            self.on_change(queue_of(job_id))
        return tuple(names)

    async def delivery_counts(self) -> dict[QueueName, DeliveryCounts]:
        await self._enter("delivery_counts")
        waiting = [queue_of(key[0]) for key, row in self.rows.items() if row.state is DeliveryStatus.WAITING]
        counts: dict[QueueName, DeliveryCounts] = {queue: DeliveryCounts() for queue in {*waiting}} | self.totals
        return {queue: attrs.evolve(count, waiting=waiting.count(queue)) for queue, count in counts.items()}

    def _put_out(self, held: Held, kind: str) -> None:
        told = {"job.processing": "job.started"}.get(kind, kind)
        if told not in {known.value for known in EventKind}:
            return
        ended = EventKind(told).terminal
        wanting = [one for one in held.job.subscribers if ended or one.progress]
        held.seq += bool(wanting) * (END_STEP if ended else 1)
        for one in wanting:
            row = self.rows.setdefault((held.job.job_id, one.receiver), Row(url=one.url))
            refused = row.put(held.seq, EventKind(told), held.state, START_MS, self._clock_ms())
            self._count(queue_of(held.job.job_id), undeliverable=refused)
        if wanting:
            self.on_change(queue_of(held.job.job_id))

    def _clock_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000 if self.delivery_clock_ms is None else self.delivery_clock_ms()

    def _count(self, queue: QueueName, *, delivered: int = 0, undeliverable: int = 0, tries: int = 0) -> None:
        before = self.totals.get(queue, DeliveryCounts())
        self.totals[queue] = attrs.evolve(
            before,
            delivered=before.delivered + delivered,
            undeliverable=before.undeliverable + undeliverable,
            tries=before.tries + tries,
        )


def _of_job(held: Held, told: Delivery) -> dict[str, object]:
    state: JobState = held.state
    always = {"tenant": held.job.tenant, "created_at_ms": state.created_at_ms}
    if not told.kind.terminal:
        return always | {"started_at_ms": told.at_ms if told.kind is EventKind.STARTED else None}
    return always | {
        "runs": state.runs,
        "started_at_ms": state.started_at_ms,
        "finished_at_ms": state.finished_at_ms,
        "cause": state.cause,
        "result": held.result,
    }
