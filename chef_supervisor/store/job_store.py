"""The interface of the job store: what every other part may ask of Redis, and the values it answers with."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Protocol

import attrs

from chef_supervisor.domain.job import (
    Claim,
    Fence,
    JobId,
    JobOptions,
    JobStatus,
    JobType,
    NewJob,
    QueueName,
    RunId,
    Tenant,
)
from chef_supervisor.domain.outcome import Outcome


@attrs.frozen(kw_only=True)
class JobState:
    """The small fields of a job. Times are milliseconds since the epoch, by the server's clock; None = not yet."""

    job_id: JobId
    type: JobType
    status: JobStatus
    priority: int
    progress: int
    runs: int
    failures: int = 0
    attempts: int = 1
    created_at_ms: int
    # When a job that waits for its delay, or for its next run, falls due.
    due_at_ms: int | None = None
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    cause: str | None = None


@attrs.frozen(kw_only=True)
class Submitted:
    """
    A job that was accepted, now or before.

    `replayed`: the Idempotency-Key was known, and this is its job as it was created. `superseded`: the job that was
    cancelled for it.
    """

    state: JobState
    replayed: bool = False
    superseded: JobId | None = None


@attrs.frozen(kw_only=True)
class Original:
    """What a job was submitted with, as far as it is kept."""

    type: JobType
    tenant: Tenant
    priority: int
    options: JobOptions
    status: JobStatus
    payload: bytes = attrs.field(repr=False)


class Blame(enum.StrEnum):
    """Who is to blame for a run that is to be repeated: each has a count of its own."""

    PROJECT = "project"
    INFRASTRUCTURE = "infrastructure"


class Postponed(enum.StrEnum):
    """What became of a job whose run is to be repeated."""

    WAITING = "waiting"
    # Infrastructure ruined one run too many: the job ended as `failed`, cause `poisoned`.
    POISONED = "poisoned"
    # Stale fence: nothing was changed.
    FENCED = "fenced"


@attrs.frozen(kw_only=True)
class Order:
    """
    Told to whoever runs the job: its run of that number is over (cancelled), so end its box.

    `run` is None where this version does not know the order.
    """

    position: str
    run: RunId | None


@attrs.frozen(kw_only=True)
class QueueStats:
    """Jobs of one queue now; the finished ones are those still retained."""

    waiting: int = 0
    active: int = 0
    delayed: int = 0
    completed: int = 0
    failed: int = 0
    timeout: int = 0
    cancelled: int = 0


@attrs.frozen(kw_only=True)
class JobEvent:
    """
    A change of a job's state, or a rise of its progress.

    `position` is the entry's id in the queue's stream; it rises. `kind` is `job.<status>` or `job.progress`.
    """

    queue: QueueName
    position: str
    kind: str
    job_id: JobId
    type: JobType
    status: JobStatus
    progress: int
    at_ms: int


@attrs.frozen
class Gap:
    """
    Events of a queue were trimmed before they were read: read the jobs of interest anew.

    `position` is where to read on: what comes after it is still there, and follows in the same answer.
    """

    queue: QueueName
    position: str


@attrs.frozen(kw_only=True)
class Reaped:
    """
    What one pass over a queue did with jobs whose lease ran out or whose delay is over.

    `forgotten`: how many jobs that are over it forgot, past their retention.
    """

    requeued: tuple[JobId, ...] = ()
    poisoned: tuple[JobId, ...] = ()
    promoted: tuple[JobId, ...] = ()
    forgotten: int = 0


@attrs.frozen(kw_only=True)
class Preflight:
    """
    What was found out about the server, a sentence each with what to do about it.

    `refusals`: it must not be given jobs. `warnings`: it may. `loss`: what its crash costs, as "may lose all jobs".
    """

    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    loss: str = ""


class JobStore(Protocol):
    """
    Every call is bounded by `command_timeout_s`, and concurrent calls of one kind share a round trip.

    All raise StoreUnavailable where Redis does not answer in time or refuses to write. A call that changes a claimed
    job answers False where the fence is stale: nothing was changed, somebody else has the job or it is over.
    """

    async def submit(self, job: NewJob) -> Submitted:
        """
        Queue a job, as durably as is configured; a lost reply is replayed, never a second job.

        Raises:
            QueueFull: the bound in jobs or bytes is reached; nothing was queued.
            KeyReused: its Idempotency-Key was used with another body within 24 h; nothing was queued.
            StoreFull: Redis has no memory left; nothing was queued.
            NotDurable: queued, but not confirmed to be on disk.
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

    async def read(self, job_id: JobId) -> JobState:
        """
        Returns: the small fields; the payload and the result are not touched.

        Raises:
            UnknownJob: never queued, or past its retention.
        """

    async def result(self, job_id: JobId) -> bytes | None:
        """Returns: the result as JSON in the shape of the API, or None where there is none (yet)."""

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
        """Returns: those of the runs that hold their job now. What belongs to any other run is an orphan."""

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
