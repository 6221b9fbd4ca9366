"""An in-memory JobStore for tests of what stands above the store: small, and breakable on demand."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import attrs
import orjson

from chef_supervisor.domain.errors import QueueFull, StoreUnavailable, UnknownJob
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, NewJob, QueueName, queue_of
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store.job_store import Gap, JobEvent, JobState, QueueStats, Reaped

START_MS = 1_700_000_000_000


@attrs.define(eq=False)
class _Held:
    job: NewJob
    state: JobState
    result: bytes | None = None
    fence: Fence | None = None


@attrs.define(eq=False)
class FakeStore:
    """
    Keeps jobs in a dict and events in lists, numbered as `<n>-0`.

    `full` makes every queue full; `away` makes every call fail; `hangs` makes every call wait for ever.
    `lose_finish_replies`: so many finishes are done and answered with an error. `calls` counts them by name.
    """

    queues: tuple[QueueName, ...] = (QueueName("builds"), QueueName("tests"), QueueName("lint"))
    full: bool = False
    away: bool = False
    hangs: bool = False
    lose_finish_replies: int = 0
    calls: dict[str, int] = attrs.field(factory=dict)
    jobs: dict[JobId, _Held] = attrs.field(factory=dict)
    streams: dict[QueueName, list[JobEvent]] = attrs.field(factory=dict)
    _entered: defaultdict[str, asyncio.Event] = attrs.field(factory=lambda: defaultdict(asyncio.Event))
    _grown: asyncio.Condition = attrs.field(factory=asyncio.Condition)

    def trim(self, queue: QueueName, keep: int) -> None:
        """Forget all but the newest events."""
        del self.streams[queue][: len(self.streams[queue]) - keep]

    def forget_calls(self) -> None:
        """Count anew."""
        self.calls.clear()
        self._entered.clear()

    async def called(self, name: str) -> None:
        """Wait for a call of that name."""
        await self._entered[name].wait()

    async def submit(self, job: NewJob) -> JobState:
        await self._enter("submit")
        if self.full:
            raise QueueFull(queue_of(job.job_id))
        state = JobState(
            job_id=job.job_id,
            type=job.type,
            status=JobStatus.PENDING,
            priority=job.priority,
            progress=0,
            runs=0,
            created_at_ms=START_MS,
        )
        self.jobs[job.job_id] = _Held(job, state)
        await self._tell(state)
        return state

    async def claim(self, queue: QueueName, slots: int) -> Sequence[Claim]:
        await self._enter("claim")
        waiting = [held for held in self.jobs.values() if held.state.status is JobStatus.PENDING]
        taken = [held for held in waiting if queue_of(held.job.job_id) == queue][:slots]
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
        held.result = orjson.dumps({"verdict": outcome.result.verdict, "message": outcome.result.message})
        cause = None if outcome.result.cause is None else outcome.result.cause.value
        if not held.state.status.terminal:
            await self._change(held, status=outcome.status, progress=100, finished_at_ms=START_MS + 2, cause=cause)
        if self.lose_finish_replies:
            self.lose_finish_replies -= 1
            raise StoreUnavailable("the reply was lost")
        return True

    async def release(self, job_id: JobId, fence: Fence) -> bool:
        await self._enter("release")
        held = self.jobs[job_id]
        if held.fence != fence:
            return False
        held.fence = None
        await self._change(held, status=JobStatus.PENDING, runs=held.state.runs - 1)
        return True

    async def read(self, job_id: JobId) -> JobState:
        await self._enter("read")
        if job_id not in self.jobs:
            raise UnknownJob(job_id)
        return self.jobs[job_id].state

    async def result(self, job_id: JobId) -> bytes | None:
        await self._enter("result")
        return self.jobs[job_id].result

    async def stats(self) -> dict[QueueName, QueueStats]:
        await self._enter("stats")
        states = [held.state for held in self.jobs.values()]
        return {queue: _count([state for state in states if queue_of(state.job_id) == queue]) for queue in self.queues}

    async def wait_for_work(self, queue: QueueName, timeout_s: float) -> bool:
        await self._enter("wait_for_work")
        return bool((await self.stats())[queue].waiting)

    async def reap(self, queue: QueueName, limit: int = 100) -> Reaped:
        await self._enter("reap")
        return Reaped()

    async def tail(self, queue: QueueName) -> str:
        await self._enter("tail")
        stream = self.streams.get(queue)
        return stream[-1].position if stream else "0-0"

    async def events(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[JobEvent | Gap]:
        await self._enter("events")
        try:
            async with asyncio.timeout(timeout_s), self._grown:
                await self._grown.wait_for(lambda: self.away or self._newer(queue, after))
        except TimeoutError:
            return []
        await self._enter("events")
        newer = self._newer(queue, after)
        missed = _number(newer[0].position) > _number(after) + 1
        before = f"{_number(newer[0].position) - 1}-0"
        return [Gap(queue, before), *newer] if missed else newer

    async def check(self) -> None:
        await self._enter("check")

    async def close(self) -> None:
        """Nothing is open."""

    async def go_away(self) -> None:
        """Fail from now on, also the calls that wait."""
        async with self._grown:
            self.away = True
            self._grown.notify_all()

    async def _enter(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        self._entered[name].set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailable("made to fail")

    async def _claimed(self, held: _Held) -> Claim:
        held.fence = Fence(held.state.runs + 1, f"nonce-{held.state.runs + 1}")
        await self._change(held, status=JobStatus.PROCESSING, runs=held.state.runs + 1, started_at_ms=START_MS + 1)
        return Claim(
            job_id=held.job.job_id,
            type=held.job.type,
            tenant=held.job.tenant,
            fence=held.fence,
            runs=held.state.runs,
            created_at_ms=held.state.created_at_ms,
            payload=held.job.payload,
        )

    async def _change(self, held: _Held, kind: str = "", **fields: object) -> None:
        held.state = attrs.evolve(held.state, **fields)  # type: ignore[arg-type] # the callers' names and types
        await self._tell(held.state, kind)

    async def _tell(self, state: JobState, kind: str = "") -> None:
        queue = queue_of(state.job_id)
        stream = self.streams.setdefault(queue, [])
        event = JobEvent(
            queue=queue,
            position=f"{_number(stream[-1].position) + 1 if stream else 1}-0",
            kind=kind or f"job.{state.status}",
            job_id=state.job_id,
            type=state.type,
            status=state.status,
            progress=state.progress,
            at_ms=START_MS,
        )
        async with self._grown:
            stream.append(event)
            self._grown.notify_all()

    def _newer(self, queue: QueueName, after: str) -> list[JobEvent]:
        return [event for event in self.streams.get(queue, ()) if _number(event.position) > _number(after)]


def _number(position: str) -> int:
    return int(position.partition("-")[0])


def _count(states: Sequence[JobState]) -> QueueStats:
    def of(status: JobStatus) -> int:
        return sum(state.status is status for state in states)

    return QueueStats(
        waiting=of(JobStatus.PENDING),
        active=of(JobStatus.PROCESSING),
        completed=of(JobStatus.COMPLETED),
        failed=of(JobStatus.FAILED),
        timeout=of(JobStatus.TIMEOUT),
        cancelled=of(JobStatus.CANCELLED),
    )
