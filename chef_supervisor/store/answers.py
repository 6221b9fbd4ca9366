"""The values of the store's interface: jobs, counts, events, orders, ends of runs, and what is known of its server."""

from __future__ import annotations

import enum

import attrs

from chef_supervisor.domain.job import JobId, JobOptions, JobStatus, JobType, QueueName, RunId, Tenant
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.domain.subscriber import ReceiverName, Subscriber


@attrs.frozen(kw_only=True)
class JobState:
    """
    The small fields of a job. Times are milliseconds since the epoch, by the server's clock; None = not yet.

    `receivers`: who is told of it.
    """

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
    receivers: tuple[ReceiverName, ...] = ()


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
    subscribers: tuple[Subscriber, ...] = ()


@attrs.frozen
class Remembered:
    """The job that did a piece of work before, and how it ended."""

    job_id: JobId
    outcome: Outcome


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
class DeliveryCounts:
    """
    What receivers were told of one queue's jobs: events that wait now, and totals of all time.

    `undeliverable`: ends of jobs that nobody took; what was given up of starts and progress is not counted.
    """

    waiting: int = 0
    delivered: int = 0
    undeliverable: int = 0
    tries: int = 0


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
