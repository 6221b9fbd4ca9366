"""What the tests of the store make things with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import attrs
import redis

from chef_supervisor.domain.job import Claim, JobId, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.store.answers import JobState, Reaped
from chef_supervisor.store.job_store import JobStore

BUILDS = QueueName("builds")
LINT = QueueName("lint")
LEASE_MS = 10_000
# The machine may be busy with other things; what is looked at is that it does not hang.
IN_TIME_S = 5.0
PASSED = Outcome(status=JobStatus.COMPLETED, result=Result(verdict=Verdict.PASSED))
FAILED = Outcome(status=JobStatus.FAILED, result=Result(verdict=Verdict.FAILED, cause=Cause.EXIT))
TIMED_OUT = Outcome(status=JobStatus.TIMEOUT, result=Result(verdict=Verdict.FAILED, cause=Cause.TIMEOUT))
CANCELLED = Outcome(status=JobStatus.CANCELLED, result=Result(verdict=Verdict.FAILED))


@attrs.define
class Clock:
    """The store's clock; it stands still until told."""

    ms: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms

    def pass_ms(self, ms: int) -> None:
        self.ms += ms


def a_job(tenant: str = "a", priority: int = 5, payload: bytes = b"{}", queue: QueueName = BUILDS) -> NewJob:
    return NewJob(
        job_id=new_job_id(queue, secrets.token_bytes(16)),
        type=JobType.BUILD,
        tenant=Tenant(tenant),
        priority=priority,
        payload=payload,
    )


async def submit(store: JobStore, *jobs: NewJob) -> list[JobId]:
    """One after the other: their order is what many tests look at."""
    return [(await store.submit(job)).state.job_id for job in jobs]


@contextmanager
def many_tasks() -> Iterator[None]:
    """The loop's debug mode takes a stack for every future, which makes thousands of them slow."""
    loop = asyncio.get_running_loop()
    loop.set_debug(enabled=False)
    try:
        yield
    finally:
        loop.set_debug(enabled=True)


async def submit_together(store: JobStore, jobs: Iterable[NewJob]) -> list[JobState]:
    with many_tasks():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(store.submit(job)) for job in jobs]
    return [task.result().state for task in tasks]


async def claim_one(store: JobStore, queue: QueueName = BUILDS) -> Claim:
    [claim] = await store.claim(queue, 1)
    return claim


async def let_leases_end(store: JobStore, clock: Clock, queue: QueueName = BUILDS, limit: int = 100) -> Reaped:
    """
    Let more than a lease pass, looked at so often that nobody seems to have been cut off.

    Returns: all that was reaped.
    """
    passes = [await store.reap(queue, limit)]
    for _ in range(5):
        clock.pass_ms(LEASE_MS // 4)
        passes.append(await store.reap(queue, limit))
    return Reaped(
        requeued=tuple(job_id for one in passes for job_id in one.requeued),
        poisoned=tuple(job_id for one in passes for job_id in one.poisoned),
        promoted=tuple(job_id for one in passes for job_id in one.promoted),
    )


async def finish_together(store: JobStore, claims: Iterable[Claim], outcome: Outcome = PASSED) -> None:
    with many_tasks():
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(store.finish(claim.job_id, claim.fence, outcome))


async def run_jobs(store: JobStore, jobs: Sequence[NewJob], outcome: Outcome = PASSED) -> list[JobId]:
    """Submit, claim and finish them, one after the other."""
    for job in jobs:
        await store.submit(job)
        claim = await claim_one(store)
        assert await store.finish(claim.job_id, claim.fence, outcome)
    return [job.job_id for job in jobs]


async def works_again(store: JobStore) -> None:
    """Within a few tries: connections of before are found dead one by one."""
    await store.check()
    [job_id] = await submit(store, a_job(priority=20))
    claim = await claim_one(store)
    assert claim.job_id == job_id
    assert await store.finish(job_id, claim.fence, PASSED)
    assert (await store.read(job_id)).status is JobStatus.COMPLETED


def member_of(raw: redis.Redis, base: str, job_id: JobId) -> str:
    """Returns: the job as it stands in `pending`; `base` is what its keys begin with."""
    order = raw.hget(f"{base}job:{job_id}", "order")
    assert isinstance(order, bytes)
    return f"{int(order):012}:{job_id}"
