"""What Redis answers, as values of the domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, JobType, QueueName, Tenant
from chef_supervisor.store.connect import Reply
from chef_supervisor.store.job_store import JobEvent, JobState, QueueStats

# Never the payload: these are what a status poll costs.
STATE_FIELDS: Final = ("type", "status", "priority", "progress", "runs", "created", "started", "finished", "cause")
STATS_SETS: Final = ("pending", "active", "delayed", "completed", "failed")
STATS_COUNTERS: Final = ("kept_timeout", "kept_cancelled")


def job_state(job_id: JobId, fields: Sequence[bytes | None]) -> JobState:
    """
    Returns: the state from the values of STATE_FIELDS.

    Raises:
        UnknownJob: there is no such hash.
    """
    kind, status, priority, progress, runs, created, started, finished, cause = fields
    if kind is None or status is None:
        raise UnknownJob(job_id)
    return JobState(
        job_id=job_id,
        type=JobType(kind.decode()),
        status=JobStatus(status.decode()),
        priority=int(priority or 0),
        progress=int(progress or 0),
        runs=int(runs or 0),
        created_at_ms=int(created or 0),
        started_at_ms=int(started) if started else None,
        finished_at_ms=int(finished) if finished else None,
        cause=cause.decode() if cause else None,
    )


def claim(job: Sequence[Reply], nonce: str, payload: bytes) -> Claim:
    """Returns: a claim from one list of the script's; `payload` is unpacked."""
    job_id, kind, tenant, run, runs, created, _stored = job
    return Claim(
        job_id=JobId(job_id.decode()),
        type=JobType(kind.decode()),
        tenant=Tenant(tenant.decode()),
        fence=Fence(run=run, nonce=nonce),
        runs=runs,
        created_at_ms=int(created),
        payload=payload,
    )


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
