"""What a job is: its type, status, priority and identity. Which queue takes which type is configuration."""

from __future__ import annotations

import base64
import enum
import re
from typing import Final, NewType

import attrs

from chef_supervisor.domain.errors import UnknownJob

JobId = NewType("JobId", str)
QueueName = NewType("QueueName", str)
# Whose turn it is among equal priorities: the caller's `chatId`.
Tenant = NewType("Tenant", str)

LOWEST_PRIORITY: Final = 1
HIGHEST_PRIORITY: Final = 20
DEFAULT_PRIORITY: Final = 5
PRIORITY_BY_NAME: Final = {"low": 1, "normal": 5, "high": 10, "critical": 20}

SHARD: Final = 0
_ID_BYTES: Final = 16
_ID_SHAPE: Final = re.compile(r"(?P<queue>[a-z][a-z0-9-]{0,31})\.(?P<shard>0)_[a-z2-7]{26}")


class JobType(enum.StrEnum):
    """What is asked for."""

    BUILD = "build"
    TEST = "test"
    LINT = "lint"
    ANALYZE = "analyze"


class JobStatus(enum.StrEnum):
    """Where a job is on its way; the last four are terminal and never change."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the job is over."""
        return self not in (JobStatus.PENDING, JobStatus.PROCESSING)


@attrs.frozen
class Fence:
    """
    The right to speak for a job.

    `run` counts the claims; `nonce` is random, because a Redis failover may hand out the same run twice.
    """

    run: int
    nonce: str


@attrs.frozen(kw_only=True)
class NewJob:
    """A job as it is submitted. `payload` is opaque to the store: what `domain.payload` packed."""

    job_id: JobId
    type: JobType
    tenant: Tenant
    priority: int = DEFAULT_PRIORITY
    payload: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Claim:
    """A job that is ours until its lease ends. `runs` includes this one."""

    job_id: JobId
    type: JobType
    tenant: Tenant
    fence: Fence
    runs: int
    created_at_ms: int
    payload: bytes = attrs.field(repr=False)


def new_job_id(queue: QueueName, random: bytes) -> JobId:
    """Returns: `<queue>.<shard>_<26 characters>`; `random` is 16 bytes nobody can guess."""
    if len(random) != _ID_BYTES:
        msg = f"a job id takes {_ID_BYTES} random bytes, not {len(random)}"
        raise ValueError(msg)
    return JobId(f"{queue}.{SHARD}_{base64.b32encode(random).decode().rstrip('=').lower()}")


def queue_of(job_id: str) -> QueueName:
    """
    Returns: the queue whose slot holds the job; it is part of the id, so no look-up is needed.

    Raises:
        UnknownJob: the text cannot be a job's id.
    """
    match = _ID_SHAPE.fullmatch(job_id)
    if match is None:
        raise UnknownJob(job_id)
    return QueueName(match["queue"])
