"""What a job is: its type, status, priority and identity. Which queue takes which type is configuration."""

from __future__ import annotations

import enum
import functools
import re
from typing import Final, NewType

import attrs

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.retry import Backoff
from chef_supervisor.domain.subscriber import Subscriber, check_subscribers

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
# Source: RFC 4648, 6.
_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = tuple(first + second for first in _BASE32 for second in _BASE32)
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


@attrs.frozen
class RunId:
    """One run of a job. Numbers rise with every claim and are never given twice, also where a run is given back."""

    job_id: JobId
    number: int


@attrs.frozen(kw_only=True)
class JobOptions:
    """
    How a job may be run. Times are of its steps; None = as the service is configured.

    `attempts`: how often the project may be run until it succeeds; `backoff`: how long it waits between them.
    """

    attempts: int = 1
    backoff: Backoff = attrs.field(factory=Backoff)
    timeout_ms: int | None = None
    step_timeout_ms: int | None = None


@attrs.frozen(kw_only=True)
class Idempotency:
    """The caller's key for a request that may be sent twice, and the digest (SHA-256 in hex) of what it sent."""

    key: str
    body_sha256: str


@attrs.frozen(kw_only=True)
class NewJob:
    """
    A job as it is submitted. `payload` is opaque to the store: what `domain.payload` packed.

    `delay_ms`: how long it is not to be run. `supersedes`: it takes the place of the tenant's last job of that type
    that said so too, which is cancelled unless it is over. `subscribers`: who is told of it, at most 8.
    """

    job_id: JobId
    type: JobType
    tenant: Tenant
    priority: int = DEFAULT_PRIORITY
    payload: bytes = attrs.field(repr=False)
    options: JobOptions = JobOptions()
    delay_ms: int = 0
    supersedes: bool = False
    idempotency: Idempotency | None = None
    subscribers: tuple[Subscriber, ...] = attrs.field(default=(), validator=check_subscribers)


@attrs.frozen(kw_only=True)
class Claim:
    """
    A job that is ours until its lease ends.

    `runs` includes this one, and not those that were given back. `failures`: how many runs the project itself failed.
    """

    job_id: JobId
    type: JobType
    tenant: Tenant
    fence: Fence
    runs: int
    failures: int = 0
    options: JobOptions = JobOptions()
    created_at_ms: int
    payload: bytes = attrs.field(repr=False)

    @property
    def run(self) -> RunId:
        """Which run it is."""
        return RunId(self.job_id, self.fence.run)


def new_job_id(queue: QueueName, random: bytes) -> JobId:
    """Returns: `<queue>.<shard>_<26 characters>`; `random` is 16 bytes nobody can guess."""
    if len(random) != _ID_BYTES:
        msg = f"a job id takes {_ID_BYTES} random bytes, not {len(random)}"
        raise ValueError(msg)
    # base64.b32encode, in small letters and without its padding; two characters at a time, for every job waits for it.
    bits = int.from_bytes(random, "big") << 2
    return JobId(f"{queue}.{SHARD}_{''.join([_PAIRS[bits >> shift & 1023] for shift in range(120, -1, -10)])}")


# A request asks some times for the same job.
@functools.lru_cache(maxsize=1024)
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
