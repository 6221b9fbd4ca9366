"""An in-memory JobStore for tests of what stands above the store: small, and breakable on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import attrs
import orjson

from chef_supervisor.domain.errors import CorruptState, QueueFull, StoreUnavailable, UnknownJob
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, NewJob, QueueName, RunId, Tenant, queue_of
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store.answers import (
    Blame,
    JobState,
    Original,
    Postponed,
    Preflight,
    QueueStats,
    Reaped,
    Submitted,
)
from tests.kit.fake_feeds import FakeFeeds
from tests.kit.fake_jobs import Held, Submissions, count, new_held
from tests.kit.fake_streams import START_MS

# Infrastructure may ruin so many runs of a job; one more, and it is poisoned.
_RUINS = 3


@attrs.define(eq=False)
class FakeStore(FakeFeeds):
    """
    Keeps jobs in a dict and events in lists, numbered as `<n>-0`. Leases never run out.

    A delayed job falls due by the loop's clock, and can be claimed after the next `reap`, as in Redis.
    `found` is what a preflight finds. `refusal` is raised by every submit; `full` makes every queue full; `corrupt`
    makes every job unreadable. `lose_finish_replies`: so many finishes are done and answered with an error.
    `forgotten`: jobs past their retention, and whose they were.
    """

    queues: tuple[QueueName, ...] = (QueueName("builds"), QueueName("tests"), QueueName("lint"))
    full: bool = False
    refusal: Exception | None = None
    found: Preflight = attrs.field(factory=Preflight)
    corrupt: bool = False
    lose_finish_replies: int = 0
    forgotten: set[tuple[JobId, Tenant]] = attrs.field(factory=set)
    _submissions: Submissions = attrs.field(factory=Submissions)

    async def submit(self, job: NewJob) -> Submitted:
        await self._enter("submit")
        known = self._submissions.known(job)
        if known is not None:
            return known
        if self.refusal is not None:
            raise self.refusal
        if self.full:
            raise QueueFull(queue_of(job.job_id))
        superseded = await self._supersede(job) if job.supersedes else None
        held = new_held(job)
        self.jobs[job.job_id] = held
        answer = Submitted(state=held.state, superseded=superseded)
        self._submissions.remember(job, answer)
        await self.told.tell(held.state)
        return answer

    async def answered(self, job: NewJob) -> Submitted | None:
        await self._enter("answered")
        return self._submissions.known(job)

    async def was_forgotten(self, job_id: JobId, tenant: Tenant) -> bool:
        await self._enter("was_forgotten")
        return (job_id, tenant) in self.forgotten

    async def claim(self, queue: QueueName, slots: int) -> Sequence[Claim]:
        await self._enter("claim")
        pending = [held for held in self.jobs.values() if held.state.status is JobStatus.PENDING and held.due is None]
        taken = [held for held in pending if queue_of(held.job.job_id) == queue][:slots]
        return [await self._claimed(held) for held in taken]

    async def renew(self, job_id: JobId, fence: Fence) -> bool:
        await self._enter("renew")
        held = self.jobs[job_id]
        return held.fence == fence and not held.state.status.terminal

    async def progress(self, job_id: JobId, fence: Fence, percent: int) -> bool:
        await self._enter("progress")
        held = self.jobs[job_id]
        if held.fence != fence:
            return False
        await self._change(held, "job.progress", progress=max(held.state.progress, percent))
        return True

    async def finish(self, job_id: JobId, fence: Fence, outcome: Outcome) -> bool:
        await self._enter("finish")
        held = self.jobs[job_id]
        if held.fence != fence:
            return False
        result = {"verdict": outcome.result.verdict, "message": outcome.result.message}
        made = [attrs.asdict(artifact) for artifact in outcome.result.artifacts]
        held.result = orjson.dumps(result | ({"artifacts": made} if made else {}))
        cause = None if outcome.result.cause is None else outcome.result.cause.value
        if not held.state.status.terminal:
            self.ends[job_id] = outcome
            failures = held.state.failures + (outcome.status in (JobStatus.FAILED, JobStatus.TIMEOUT))
            held.state = attrs.evolve(held.state, failures=failures, finished_at_ms=START_MS + 2, cause=cause)
            await self._change(held, status=outcome.status, progress=100)
        if self.lose_finish_replies:
            self.lose_finish_replies -= 1
            raise StoreUnavailable("the reply was lost")
        return True

    async def release(self, job_id: JobId, fence: Fence) -> bool:
        await self._enter("release")
        held = self.jobs[job_id]
        if held.fence != fence:
            return False
        await self._put_back(held, runs=held.state.runs - 1)
        return True

    async def postpone(self, job_id: JobId, fence: Fence, blame: Blame, reason: str, delay_ms: int) -> Postponed:
        await self._enter("postpone")
        held = self.jobs[job_id]
        if held.postponed is not None and held.postponed[0] == fence:
            return held.postponed[1]
        if held.fence != fence:
            return Postponed.FENCED
        ruined = blame is Blame.INFRASTRUCTURE and held.state.runs - held.state.failures > _RUINS
        held.postponed = (fence, Postponed.POISONED if ruined else Postponed.WAITING)
        if ruined:
            await self._end(held, JobStatus.FAILED, "poisoned")
        else:
            held.due = asyncio.get_running_loop().time() + delay_ms / 1000
            failures = held.state.failures + (blame is Blame.PROJECT)
            await self._put_back(held, failures=failures, due_at_ms=START_MS + delay_ms)
        return held.postponed[1]

    async def cancel(self, job_id: JobId) -> JobState:
        await self._enter("cancel")
        held = self._held(job_id)
        if not held.state.status.terminal:
            await self._cancel(held)
        return held.state

    async def original(self, job_id: JobId) -> Original:
        await self._enter("original")
        held = self._held(job_id)
        return Original(
            type=held.job.type,
            tenant=held.job.tenant,
            priority=held.job.priority,
            options=held.job.options,
            status=held.state.status,
            payload=held.job.payload,
            subscribers=held.job.subscribers,
        )

    async def read(self, job_id: JobId) -> JobState:
        await self._enter("read")
        return self._held(job_id).state

    async def result(self, job_id: JobId) -> bytes | None:
        await self._enter("result")
        return self.jobs[job_id].result

    async def stats(self) -> dict[QueueName, QueueStats]:
        await self._enter("stats")
        held = list(self.jobs.values())
        return {queue: count([one for one in held if queue_of(one.job.job_id) == queue]) for queue in self.queues}

    async def wait_for_work(self, queue: QueueName, timeout_s: float) -> bool:
        await self._enter("wait_for_work")
        return bool((await self.stats())[queue].waiting)

    async def reap(self, queue: QueueName, limit: int = 100) -> Reaped:
        await self._enter("reap")
        now = asyncio.get_running_loop().time()
        due = [held for held in self.jobs.values() if held.due is not None and held.due <= now]
        due = [held for held in due if queue_of(held.job.job_id) == queue][:limit]
        for held in due:
            held.due = None
            held.state = attrs.evolve(held.state, due_at_ms=None)
        return Reaped(promoted=tuple(held.job.job_id for held in due))

    async def take_back(self, queue: QueueName) -> Reaped:
        await self._enter("take_back")
        mine = [held for held in self.jobs.values() if held.state.status is JobStatus.PROCESSING]
        mine = [held for held in mine if queue_of(held.job.job_id) == queue]
        for held in mine:
            await self._put_back(held)
        return Reaped(requeued=tuple(held.job.job_id for held in mine))

    async def owned(self, runs: Iterable[RunId]) -> frozenset[RunId]:
        await self._enter("owned")
        return frozenset(run for run in runs if self._owns(run))

    async def known(self, job_ids: Iterable[JobId]) -> frozenset[JobId]:
        await self._enter("known")
        return frozenset(job_id for job_id in job_ids if job_id in self.jobs)

    async def identity(self) -> str:
        await self._enter("identity")
        return "fake"

    async def check(self) -> None:
        await self._enter("check")

    async def preflight(self) -> Preflight:
        await self._enter("preflight")
        return self.found

    async def close(self) -> None:
        """Nothing is open."""

    def _held(self, job_id: JobId) -> Held:
        if self.corrupt:
            raise CorruptState(job_id, "secret")
        if job_id not in self.jobs:
            raise UnknownJob(job_id)
        return self.jobs[job_id]

    async def _supersede(self, job: NewJob) -> JobId | None:
        replaced = self._submissions.replace_latest(job)
        last = None if replaced is None else self.jobs.get(replaced)
        if last is None or last.state.status.terminal:
            return None
        await self._cancel(last)
        return last.job.job_id

    def _owns(self, run: RunId) -> bool:
        held = self.jobs.get(run.job_id)
        if held is None or held.fence is None or held.state.status is not JobStatus.PROCESSING:
            return False
        return held.fence.run == run.number

    async def _claimed(self, held: Held) -> Claim:
        held.claims += 1
        held.fence = Fence(held.claims, f"nonce-{held.claims}")
        await self._change(held, status=JobStatus.PROCESSING, runs=held.state.runs + 1, started_at_ms=START_MS + 1)
        return Claim(
            job_id=held.job.job_id,
            type=held.job.type,
            tenant=held.job.tenant,
            fence=held.fence,
            runs=held.state.runs,
            failures=held.state.failures,
            options=held.job.options,
            created_at_ms=held.state.created_at_ms,
            payload=held.job.payload,
        )

    async def _cancel(self, held: Held) -> None:
        running = held.fence if held.state.status is JobStatus.PROCESSING else None
        await self._end(held, JobStatus.CANCELLED, None)
        if running is not None:
            await self.told.order(RunId(held.job.job_id, running.run))

    async def _end(self, held: Held, status: JobStatus, cause: str | None) -> None:
        held.fence, held.due = None, None
        held.result = orjson.dumps({"verdict": "skipped", "message": cause or status.value})
        await self._change(held, status=status, finished_at_ms=START_MS + 2, due_at_ms=None, cause=cause)

    async def _put_back(self, held: Held, **fields: object) -> None:
        held.fence = None
        await self._change(held, "", status=JobStatus.PENDING, **fields)

    async def _change(self, held: Held, kind: str = "", **fields: object) -> None:
        held.state = attrs.evolve(held.state, **fields)  # type: ignore[arg-type] # the callers' names and types
        await self.told.tell(held.state, kind)
        self._put_out(held, kind or f"job.{held.state.status}")
