"""What receivers are told of a job: events in the order of their numbers, each until it is taken or given up."""

from __future__ import annotations

import enum

import attrs

from chef_supervisor.domain.job import JobId, JobStatus, JobType, Tenant
from chef_supervisor.domain.subscriber import ReceiverName, Subscriber

__all__ = [
    "Answer",
    "Answered",
    "Delivery",
    "DeliveryState",
    "DeliveryStatus",
    "EventKind",
    "Message",
    "ReceiverName",
    "Settlement",
    "Subscriber",
]


class EventKind(enum.StrEnum):
    """What happened; the last four end a job and are its last event."""

    STARTED = "job.started"
    PROGRESS = "job.progress"
    COMPLETED = "job.completed"
    FAILED = "job.failed"
    TIMEOUT = "job.timeout"
    CANCELLED = "job.cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing follows."""
        return self not in (EventKind.STARTED, EventKind.PROGRESS)


@attrs.frozen(kw_only=True)
class Delivery:
    """
    One event that is to be delivered to one receiver, leased to whoever delivers it.

    `seq` rises with each event of the job, with holes. `tries`: how often it was tried before; `failed`: how often that
    is known to have failed, the rest having died with whoever tried. `at_ms`: when it happened, by the server's clock.
    `lease`: given back with the answer; a stale one changes nothing.
    """

    job_id: JobId
    receiver: ReceiverName
    lease: str
    seq: int
    kind: EventKind
    type: JobType
    status: JobStatus
    progress: int
    at_ms: int
    tries: int = 0
    failed: int = 0
    url: str = attrs.field(default="", repr=False)

    @property
    def event_id(self) -> str:
        """The same over all tries. Without dots, which separate what is signed (Standard Webhooks 1.0.0)."""
        return f"evt_{self.job_id.replace('.', '_')}_{self.seq}"


@attrs.frozen(kw_only=True)
class Message:
    """
    All that a receiver is told of one event.

    `result` is JSON in the shape of the API; None before the end, or where the job is not kept any more (`forgotten`).
    Before the end `runs`, `finished_at_ms` and `cause` are None too, and `started_at_ms` but in a start: they could be
    others at the next try. Times are milliseconds since the epoch.
    """

    event_id: str
    job_id: JobId
    seq: int
    kind: EventKind
    type: JobType
    tenant: Tenant | None
    status: JobStatus
    progress: int
    at_ms: int
    runs: int | None = None
    created_at_ms: int | None = None
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    cause: str | None = None
    result: bytes | None = attrs.field(default=None, repr=False)
    forgotten: bool = False
    url: str = attrs.field(default="", repr=False)


class Answered(enum.StrEnum):
    """What became of one try."""

    TAKEN = "taken"
    # Try again later.
    FAILED = "failed"
    # It would fail again and again: the request, the key or the function is wrong.
    REFUSED = "refused"
    # 410: the receiver wants nothing more.
    GONE = "gone"


@attrs.frozen(kw_only=True)
class Answer:
    """
    How a receiver answered one try.

    `reason`: a word for people and programs, such as `http_500`, `timeout`, `refused_by_policy`, `function_failed`; it
    never holds an answer's body, an address or a secret. `throttled`: the receiver is overloaded (429, 502, 504, 503).
    `retry_after_s`: what it asked for. `shared`: strangers share the receiver, as the host of callbacks, and one of them
    must not keep it from the others: that time holds for this delivery.
    """

    answered: Answered
    reason: str = ""
    throttled: bool = False
    retry_after_s: float | None = None
    shared: bool = False


class Settlement(enum.StrEnum):
    """What is to become of a delivery after its try."""

    TAKEN = "taken"
    # It is tried again, later.
    AGAIN = "again"
    # It is tried no more: a start or progress is given up, an end is undeliverable.
    ENDED = "ended"
    # The receiver wants nothing more: not of any job, or, where it is a callback, not of this one.
    GONE = "gone"
    # It was not tried: somebody else may, and the try does not count.
    BACK = "back"


class DeliveryStatus(enum.StrEnum):
    """Where the latest event for one receiver is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    # Of a start or progress: later ones are told of.
    GIVEN_UP = "given_up"
    # Of an end: it can be sent again by hand.
    UNDELIVERABLE = "undeliverable"


@attrs.frozen(kw_only=True)
class DeliveryState:
    """What is told of the latest event for one receiver."""

    receiver: ReceiverName
    status: DeliveryStatus
    kind: EventKind
    seq: int
    tries: int
    reason: str = ""
    next_try_at_ms: int | None = None
    delivered_at_ms: int | None = None
