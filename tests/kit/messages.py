"""Messages as the notifier gives them to receivers."""

from __future__ import annotations

from typing import Any, Final

import orjson

from chef_supervisor.domain.delivery import EventKind, Message
from chef_supervisor.domain.job import JobId, JobStatus, JobType, Tenant

JOB_ID: Final = JobId("builds.0_" + "a" * 26)
AT_MS: Final = 1_795_000_000_000
_STATUS: Final = {
    EventKind.STARTED: JobStatus.PROCESSING,
    EventKind.PROGRESS: JobStatus.PROCESSING,
    EventKind.COMPLETED: JobStatus.COMPLETED,
    EventKind.FAILED: JobStatus.FAILED,
    EventKind.TIMEOUT: JobStatus.TIMEOUT,
    EventKind.CANCELLED: JobStatus.CANCELLED,
}
_STARTED_MS: Final = {EventKind.STARTED: AT_MS, EventKind.PROGRESS: None}


def message(kind: EventKind = EventKind.COMPLETED, result: Any = None, **other: Any) -> Message:
    """Returns: what is told of a build; `result` is encoded as the store does it."""
    about: dict[str, Any] = {
        "event_id": f"evt_{JOB_ID.replace('.', '_')}_3",
        "job_id": JOB_ID,
        "seq": 3,
        "kind": kind,
        "type": JobType.BUILD,
        "tenant": Tenant("chat"),
        "status": _STATUS[kind],
        "progress": 100 if kind.terminal else 40,
        "at_ms": AT_MS,
        "runs": 1 if kind.terminal else None,
        "created_at_ms": AT_MS - 2_000,
        "started_at_ms": _STARTED_MS.get(kind, AT_MS - 1_000),
        "finished_at_ms": AT_MS if kind.terminal else None,
        "result": None if result is None else orjson.dumps(result),
    }
    return Message(**(about | other))
