"""The jobs of a FakeStore, and what it remembers of submissions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs

from chef_supervisor.domain.errors import KeyReused
from chef_supervisor.domain.job import Fence, JobId, JobStatus, JobType, NewJob, QueueName, Tenant, queue_of
from chef_supervisor.store.answers import JobState, Postponed, QueueStats, Submitted
from tests.kit.fake_streams import START_MS


@attrs.define(eq=False)
class Held:
    """A job, as the fake keeps it."""

    job: NewJob
    state: JobState
    result: bytes | None = None
    # The right to the run that is under way, or that has ended the job.
    fence: Fence | None = None
    claims: int = 0
    # By the loop's clock; None where it waits for nothing.
    due: float | None = None
    postponed: tuple[Fence, Postponed] | None = None
    # Of the events that receivers are told of.
    seq: int = 0


@attrs.define(eq=False)
class Submissions:
    """The keys that were used, and the last job that took an older one's place, by tenant and type."""

    _keys: dict[tuple[QueueName, Tenant, str], tuple[str, Submitted]] = attrs.field(factory=dict)
    _latest: dict[tuple[Tenant, JobType], JobId] = attrs.field(factory=dict)

    def known(self, job: NewJob) -> Submitted | None:
        """Returns: what was answered to that key before. Raises KeyReused where the body was another."""
        if job.idempotency is None or _scope(job, job.idempotency.key) not in self._keys:
            return None
        body_sha256, answer = self._keys[_scope(job, job.idempotency.key)]
        if body_sha256 != job.idempotency.body_sha256:
            raise KeyReused
        return attrs.evolve(answer, replayed=True)

    def remember(self, job: NewJob, answer: Submitted) -> None:
        """Keep what is answered to its key."""
        if job.idempotency is not None:
            self._keys[_scope(job, job.idempotency.key)] = (job.idempotency.body_sha256, answer)

    def replace_latest(self, job: NewJob) -> JobId | None:
        """Returns: whose place the job takes."""
        last = self._latest.get((job.tenant, job.type))
        self._latest[job.tenant, job.type] = job.job_id
        return last


def new_held(job: NewJob) -> Held:
    """Returns: the job as it is submitted."""
    state = JobState(
        job_id=job.job_id,
        type=job.type,
        status=JobStatus.PENDING,
        priority=job.priority,
        progress=0,
        runs=0,
        attempts=job.options.attempts,
        created_at_ms=START_MS,
        due_at_ms=START_MS + job.delay_ms if job.delay_ms else None,
        receivers=tuple(one.receiver for one in job.subscribers),
    )
    due = asyncio.get_running_loop().time() + job.delay_ms / 1000 if job.delay_ms else None
    return Held(job, state, due=due)


def _scope(job: NewJob, key: str) -> tuple[QueueName, Tenant, str]:
    return queue_of(job.job_id), job.tenant, key


def count(jobs: Sequence[Held]) -> QueueStats:
    """Returns: how many there are, by state."""

    def of(status: JobStatus) -> int:
        return sum(held.state.status is status for held in jobs)

    delayed = sum(held.due is not None for held in jobs)
    return QueueStats(
        waiting=of(JobStatus.PENDING) - delayed,
        active=of(JobStatus.PROCESSING),
        delayed=delayed,
        completed=of(JobStatus.COMPLETED),
        failed=of(JobStatus.FAILED),
        timeout=of(JobStatus.TIMEOUT),
        cancelled=of(JobStatus.CANCELLED),
    )
