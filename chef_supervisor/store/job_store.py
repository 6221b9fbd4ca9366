"""The interface of the job store: what every other part may ask of Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from chef_supervisor.domain.delivery import Delivery, DeliveryState, Message, Settlement
from chef_supervisor.domain.job import Claim, Fence, JobId, NewJob, QueueName, RunId, Tenant
from chef_supervisor.domain.job_log import LogPiece, LogPosition
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.store.answers import (
    Blame,
    DeliveryCounts,
    Gap,
    JobEvent,
    JobState,
    Order,
    Original,
    Postponed,
    Preflight,
    QueueStats,
    Reaped,
    Remembered,
    Submitted,
)


class JobStore(Protocol):
    """
    Every call is bounded by `command_timeout_s`, and concurrent calls of one kind share a round trip.

    All raise StoreUnavailable where Redis does not answer in time or refuses to write. A call that changes a claimed
    job answers False where the fence is stale: nothing was changed, somebody else has the job or it is over.

    `on_change` is called after each command of this process that may have made a delivery of that queue due, so that
    whoever delivers need not look all the time. What other processes do is not told. It must not block or raise.
    """

    on_change: Callable[[QueueName], None]

    async def submit(self, job: NewJob) -> Submitted:
        """
        Queue a job, as durably as is configured; a lost reply is replayed, never a second job.

        Raises:
            QueueFull: the bound in jobs or bytes is reached; nothing was queued.
            KeyReused: its Idempotency-Key was used with another body within 24 h; nothing was queued.
            StoreFull: Redis has no memory left; nothing was queued.
            NotDurable: queued, but not confirmed to be on disk.
        """

    async def answered(self, job: NewJob) -> Submitted | None:
        """
        Returns: what was answered before to the request that this job stands for; None where it was never made, or
            without a key. Nothing is queued, and the payload does not matter.

        Raises:
            KeyReused: as `submit`.
        """

    async def claim(self, queue: QueueName, slots: int) -> Sequence[Claim]:
        """
        Take jobs; a caller that is cancelled leaves none behind.

        Returns: at most `slots`, best first, each ours until its lease ends; empty when nothing waits. Fewer than wait
            where their payloads are large: the queue's wake key then says that there are more.
        """

    async def renew(self, job_id: JobId, fence: Fence) -> bool:
        """Move the end of the lease to now + `lease_s`."""

    async def progress(self, job_id: JobId, fence: Fence, percent: int) -> bool:
        """Raise the progress (0..99; it never falls, and 100 comes with a completed end)."""

    async def append_log(self, job_id: JobId, fence: Fence, pieces: Sequence[LogPiece]) -> bool:
        """
        Add to the log of a claimed job, in rising places; what is there already is not added twice.

        The first piece of a run takes the place of all that earlier runs printed. The first `log_bytes` / 2 and the
        last ones are kept.

        Raises:
            StoreFull: Redis has no memory left; nothing was added.
        """

    async def finish(self, job_id: JobId, fence: Fence, outcome: Outcome) -> bool:
        """Record the one terminal state with its result. Idempotent by fence: a replay after success answers True."""

    async def release(self, job_id: JobId, fence: Fence) -> bool:
        """Put a job back in its old place without burning the run. Idempotent by fence, like `finish`."""

    async def postpone(self, job_id: JobId, fence: Fence, blame: Blame, reason: str, delay_ms: int) -> Postponed:
        """
        End a run that is to be repeated, in `delay_ms` or later. Idempotent by fence, like `finish`.

        Blamed on the project, `failures` rises; on the infrastructure, the run stays counted, `reason` is remembered
        for the job's story, and the job ends as poisoned where that were too many.
        """

    async def cancel(self, job_id: JobId) -> JobState:
        """
        End a job as cancelled, wherever it is; whoever runs it is told by an order, and by its next renewal.

        Returns: the job as it is now: cancelled, or with the other end that it had before.

        Raises:
            UnknownJob: as `read`.
        """

    async def original(self, job_id: JobId) -> Original:
        """
        Returns: what the job was submitted with.

        Raises:
            UnknownJob: as `read`.
        """

    async def was_forgotten(self, job_id: JobId, tenant: Tenant) -> bool:
        """Returns: whether it was a job of that tenant and is past its retention; known of the last 10,000 of a queue."""

    async def read(self, job_id: JobId) -> JobState:
        """
        Returns: the small fields; the payload and the result are not touched.

        Raises:
            UnknownJob: never queued, or past its retention.
        """

    async def result(self, job_id: JobId) -> bytes | None:
        """Returns: the result as JSON in the shape of the API, or None where there is none (yet)."""

    async def read_log(self, job_id: JobId, after: LogPosition, most: int) -> Sequence[LogPiece]:
        """
        Returns: the next pieces of the log that end after that place, in their order, at most so many; empty where
            nothing more is there (yet), or no such job. The first may begin before that place.
        """

    async def remember_result(self, job_id: JobId, key: str, keep_s: float) -> None:
        """
        Let the result of that job, which is over, stand for all work of that key, for so long at most.

        The last job of a key is the one that is remembered. Nothing is copied: what is forgotten with its job is gone.
        """

    async def remembered(self, queue: QueueName, key: str) -> Remembered | None:
        """Returns: the job of that queue that did this work, and its end; None where none is (still) known."""

    async def due_receivers(self, queue: QueueName, offset: int = 0) -> Sequence[tuple[ReceiverName, int]]:
        """
        Returns: receivers that are to be told something, and in how many ms, by the server's clock; soonest first, at
            most 1,000 (`MOST_RECEIVERS`) behind the first `offset`. What is on lease is due when that ends. 0: now, or
            since some time.
        """

    async def take_deliveries(self, queue: QueueName, receiver: ReceiverName, slots: int) -> Sequence[Delivery]:
        """
        Lease what is due for that receiver; each is ours for `delivery_lease_s`, and its job's later events wait.

        What is older than `delivery_give_up_s` has its end instead, a start or a progress after a minute, or 10 s where
        it was tried; and so has all for a receiver that answered 410 before at the same address, except what was
        redelivered. With no slots, for a receiver that the caller does not know, only what is too old has its end. A
        caller that is cancelled leaves none behind.

        Returns: at most `slots`, what is due longest first. Where there are none, some may still be due that had their
            end: `due_receivers` knows.
        """

    async def settle(self, delivery: Delivery, settlement: Settlement, *, reason: str = "", delay_ms: int = 0) -> bool:
        """
        Tell what became of a delivery; `delay_ms` is for AGAIN and BACK. Idempotent by its lease.

        Where a later event has taken its place meanwhile, that one is due now (progress: a second after this one was
        taken), whatever became of this one, except that GONE ends both. Where it was redelivered meanwhile, it is due
        now in any case.

        Returns: False where the lease is stale: nothing was changed, somebody else delivers it.
        """

    async def message(self, delivery: Delivery) -> Message:
        """Returns: what the receiver is told: for an end with the result, `forgotten` where the job is not kept."""

    async def deliveries(
        self, job_id: JobId, receivers: Sequence[ReceiverName] | None = None
    ) -> tuple[DeliveryState, ...]:
        """
        Returns: what became of the job's latest event, for each subscriber that was to be told of one.

        `receivers`: those of its `JobState`, where it was read just now, which spares a round trip.

        Raises:
            UnknownJob: as `read`; not where `receivers` are given.
        """

    async def redeliver(self, job_id: JobId, receiver: ReceiverName | None) -> tuple[ReceiverName, ...]:
        """
        Tell the end of the job again, as the same event: to one of its subscribers, or to all. It is due now.

        A receiver that answered 410 is tried too; where it takes this, it is told of all again.

        Returns: who is told; empty where it is none of the job's subscribers.

        Raises:
            UnknownJob: as `read`.
            NotOverYet: there is no end to tell of.
        """

    async def delivery_counts(self) -> dict[QueueName, DeliveryCounts]:
        """Returns: one entry for each queue."""

    async def stats(self) -> dict[QueueName, QueueStats]:
        """Returns: one entry for each queue."""

    async def wait_for_work(self, queue: QueueName, timeout_s: float) -> bool:
        """Block on the queue's wake key on a connection of its own. Returns: False when nothing came. A hint only."""

    async def reap(self, queue: QueueName, limit: int = 100) -> Reaped:
        """Requeue jobs whose lease ran out (poisoned past the runs allowed), promote delayed jobs that are due."""

    async def take_back(self, queue: QueueName) -> Reaped:
        """
        Take away all jobs that this instance's last process held, as `reap` does when a lease has run out.

        Only for whoever holds the lock of the instance, before its first claim.
        """

    async def owned(self, runs: Iterable[RunId]) -> frozenset[RunId]:
        """
        Returns: those of the runs that hold their job now, or ended it in the last 5 s, and may still be leaving a box.
        What belongs to any other run is an orphan.
        """

    async def known(self, job_ids: Iterable[JobId]) -> frozenset[JobId]:
        """
        Returns: those of the jobs that are kept, whatever their state; the others were forgotten, or never were.

        Raises:
            UnknownJob: one is of no queue of ours.
        """

    async def identity(self) -> str:
        """Returns: a random name of this store's data, made at the first call; supervisors that share it are one."""

    async def orders_tail(self, queue: QueueName) -> str:
        """Returns: the newest position in the queue's stream of orders; `0-0` where it is empty."""

    async def orders(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[Order]:
        """Block until there are orders after that position, on a connection of its own. Empty on time out."""

    async def tail(self, queue: QueueName) -> str:
        """Returns: the newest position in the queue's stream of events; `0-0` where it is empty."""

    async def events(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[JobEvent | Gap]:
        """
        Block until there are events after that position, on a connection of its own.

        Returns: empty on time out; a gap first where events are missing, or the position is none of this stream's.
        """

    async def check(self) -> None:
        """Write and read back a probe: whether jobs can be accepted now."""

    async def preflight(self) -> Preflight:
        """Look whether the server can keep what is promised. While it was last found unfit, `submit` takes no jobs."""

    async def close(self) -> None:
        """Close all connections."""
