"""What Redis answers, as values of the domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chef_supervisor.domain.errors import Bug, CorruptState, UnknownJob
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, JobType, QueueName, RunId, Tenant
from chef_supervisor.store import codec, options, subscribers
from chef_supervisor.store.answers import JobEvent, JobState, Order, Original, QueueStats
from chef_supervisor.store.connect import Reply

# Never the payload: these are what a status poll costs.
STATE_FIELDS: Final = (
    *("type", "status", "priority", "progress", "runs", "created", "started", "finished", "cause"),
    *("failures", "attempts", "due", "receivers"),
)
ORIGINAL_FIELDS: Final = ("type", "tenant", "priority", "status", "options", "receivers")
STATS_SETS: Final = ("pending", "active", "delayed", "completed", "failed")
STATS_COUNTERS: Final = ("kept_timeout", "kept_cancelled")


def job_state(job_id: JobId, fields: Sequence[bytes | None]) -> JobState:
    """
    Returns: the state from the values of STATE_FIELDS.

    Raises:
        UnknownJob: there is no such hash.
        CorruptState: it is none of ours.
    """
    known = dict(zip(STATE_FIELDS, [None if field is None else field.decode() for field in fields], strict=True))
    if known["type"] is None or known["status"] is None:
        raise UnknownJob(job_id)
    try:
        return JobState(
            job_id=job_id,
            type=JobType(known["type"]),
            status=JobStatus(known["status"]),
            priority=int(known["priority"] or 0),
            progress=int(known["progress"] or 0),
            runs=int(known["runs"] or 0),
            failures=int(known["failures"] or 0),
            attempts=int(known["attempts"] or 1),
            created_at_ms=int(known["created"] or 0),
            due_at_ms=_ms(known["due"]),
            started_at_ms=_ms(known["started"]),
            finished_at_ms=_ms(known["finished"]),
            cause=known["cause"] or None,
            receivers=tuple(one.receiver for one in subscribers.decode(fields[STATE_FIELDS.index("receivers")])),
        )
    except ValueError as error:
        raise CorruptState(job_id, str(error)) from error


def _ms(field: str | None) -> int | None:
    return int(field) if field else None


async def original(job_id: JobId, fields: Sequence[bytes | None], stored: bytes | None) -> Original:
    """
    Returns: what was submitted, from the values of ORIGINAL_FIELDS and the payload as stored.

    Raises:
        UnknownJob: it is past its retention.
        CorruptState: it cannot be read.
    """
    kind, tenant, priority, status, packed, receivers = fields
    if kind is None or status is None or tenant is None or stored is None:
        raise UnknownJob(job_id)
    try:
        return Original(
            type=JobType(kind.decode()),
            tenant=Tenant(tenant.decode()),
            priority=int(priority or 0),
            options=options.decode(packed),
            status=JobStatus(status.decode()),
            payload=await codec.unpack(stored),
            subscribers=subscribers.decode(receivers),
        )
    except (ValueError, Bug) as error:
        raise CorruptState(job_id, str(error)) from error


def claim(job: Sequence[Reply], nonce: str, payload: bytes) -> Claim:
    """
    Returns: a claim from one list of the script's; `payload` is unpacked.

    Raises:
        ValueError: a field is not what was written.
    """
    job_id, kind, tenant, run, runs, failures, packed, created, _stored = job
    return Claim(
        job_id=JobId(job_id.decode()),
        type=JobType(kind.decode()),
        tenant=Tenant(tenant.decode()),
        fence=Fence(run=run, nonce=nonce),
        runs=runs,
        failures=failures,
        options=options.decode(packed),
        created_at_ms=int(created),
        payload=payload,
    )


def order(position: bytes, flat: Sequence[bytes]) -> Order:
    """Returns: the order from an entry of the stream."""
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    known = fields.get(b"kind") == b"cancel"
    run = RunId(JobId(fields[b"job"].decode()), int(fields[b"run"])) if known else None
    return Order(position=position.decode(), run=run)


def stats(sizes: Sequence[int], counters: Sequence[bytes | None]) -> QueueStats:
    """Returns: the stats from the sizes of STATS_SETS and the values of STATS_COUNTERS."""
    waiting, active, delayed, completed, unhappy = sizes
    timeout, cancelled = (int(count or 0) for count in counters)
    return QueueStats(
        waiting=waiting,
        active=active,
        delayed=delayed,
        completed=completed,
        failed=unhappy - timeout - cancelled,
        timeout=timeout,
        cancelled=cancelled,
    )


def job_ids(ids: Sequence[bytes]) -> tuple[JobId, ...]:
    """Returns: the ids as text."""
    return tuple(JobId(job_id.decode()) for job_id in ids)


def event(queue: QueueName, position: bytes, flat: Sequence[bytes]) -> JobEvent:
    """Returns: the event from an entry of the stream."""
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return JobEvent(
        queue=queue,
        position=position.decode(),
        kind=fields[b"kind"].decode(),
        job_id=JobId(fields[b"job"].decode()),
        type=JobType(fields[b"type"].decode()),
        status=JobStatus(fields[b"status"].decode()),
        progress=int(fields[b"progress"]),
        at_ms=int(fields[b"at"]),
    )
