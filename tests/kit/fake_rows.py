"""One row of a FakeStore's outbox: the latest event of a job that a receiver has not taken."""

from __future__ import annotations

import attrs

from chef_supervisor.domain.delivery import Delivery, DeliveryState, DeliveryStatus, EventKind, Settlement
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.store.answers import JobState

LEASE_MS = 30_000
_PACE_MS = 1_000
END_STEP = 1_000


@attrs.define(eq=False)
class Row:
    """Times by the outbox's clock. Methods that may end an undeliverable event return whether they did."""

    url: str = ""
    seq: int = 0
    kind: EventKind = EventKind.STARTED
    job: JobState | None = None
    at_ms: int = 0
    tries: int = 0
    failed: int = 0
    due_ms: float = 0.0
    sent_ms: float = float("-inf")
    ended_ms: int | None = None
    state: DeliveryStatus = DeliveryStatus.WAITING
    reason: str = ""
    lease: str | None = None
    settled: str | None = None
    # The lease of the try after which it is told once more.
    again: str | None = None
    forced: bool = False
    closed: bool = False

    def put(self, seq: int, kind: EventKind, job: JobState, at_ms: int, now_ms: float) -> bool:
        """Let a later event take the place of the one that was not taken."""
        if self.closed and not kind.terminal:
            return False
        self.seq, self.kind, self.job, self.at_ms, self.tries, self.reason = seq, kind, job, at_ms, 0, ""
        self.failed = 0
        if self.closed:
            return self.end(lost=True, reason="gone")
        self.state = DeliveryStatus.WAITING
        if self.lease is None:
            self._pace(now_ms)
        return False

    def lease_out(self, job_id: JobId, receiver: ReceiverName, lease: str, now_ms: float) -> Delivery:
        """Returns: the event, for whoever delivers it."""
        assert self.job is not None
        self.lease, self.due_ms, self.sent_ms, self.tries = lease, now_ms + LEASE_MS, now_ms, self.tries + 1
        return Delivery(
            job_id=job_id,
            receiver=receiver,
            lease=lease,
            seq=self.seq,
            kind=self.kind,
            type=self.job.type,
            status=self.job.status,
            progress=self.job.progress,
            at_ms=self.at_ms,
            tries=self.tries - 1,
            failed=self.failed,
            url=self.url,
        )

    def answer(self, seq: int, settlement: Settlement, reason: str, delay_ms: int, now_ms: float) -> bool:
        """Take what became of the event of that number."""
        if self.again == self.settled:
            self.due_ms = now_ms
        elif settlement is Settlement.GONE:
            return self.end(lost=True, reason="gone")
        elif seq != self.seq:
            self._pace(now_ms)
        elif settlement in {Settlement.TAKEN, Settlement.ENDED}:
            self.ended_ms = int(now_ms)
            return self.end(lost=settlement is Settlement.ENDED, reason=reason)
        else:
            back = settlement is Settlement.BACK
            self.tries, self.reason = self.tries - back, self.reason if back else reason
            self.failed += not back
            self.due_ms = now_ms + delay_ms
        return False

    def end(self, *, lost: bool, reason: str) -> bool:
        """The event has its end."""
        ends = DeliveryStatus.UNDELIVERABLE if self.kind.terminal else DeliveryStatus.GIVEN_UP
        self.state = ends if lost else DeliveryStatus.DELIVERED
        self.reason, self.lease, self.forced = reason if lost else "", None, False
        return self.state is DeliveryStatus.UNDELIVERABLE

    def begin_again(self, now_ms: float) -> None:
        """As if never tried."""
        self.state, self.tries, self.reason, self.forced, self.closed = DeliveryStatus.WAITING, 0, "", True, False
        self.failed, self.again = 0, self.lease
        if self.lease is None:
            self.due_ms = now_ms

    def shown(self, receiver: ReceiverName) -> DeliveryState:
        """Returns: what is told of it."""
        waiting = self.state is DeliveryStatus.WAITING and self.lease is None
        return DeliveryState(
            receiver=receiver,
            status=self.state,
            kind=self.kind,
            seq=self.seq,
            tries=self.tries,
            reason=self.reason,
            next_try_at_ms=int(self.due_ms) if waiting else None,
            delivered_at_ms=self.ended_ms if self.state is DeliveryStatus.DELIVERED else None,
        )

    def _pace(self, now_ms: float) -> None:
        self.due_ms = now_ms if self.kind.terminal else max(now_ms, self.sent_ms + _PACE_MS)
