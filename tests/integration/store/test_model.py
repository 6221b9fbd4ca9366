"""
Random histories against a model in a few lines: no job is lost, none is held twice, and the next one is the right one.

The model keeps jobs in a dict and finds the next by sorting; it shares nothing with the scripts but the rules.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TypeAlias

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chef_supervisor.domain.job import Claim, JobId, JobStatus, NewJob
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, FAILED, LEASE_MS, PASSED, Clock, a_job
from tests.kit.redis_servers import RedisServer

Step: TypeAlias = tuple[str, int, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(0, 2), st.sampled_from([1, 5, 5, 5, 20])),
        st.tuples(st.just("claim"), st.integers(1, 3), st.just(0)),
        st.tuples(
            st.sampled_from(["finish", "fail", "release", "renew", "progress"]), st.integers(0, 50), st.integers(0, 100)
        ),
        st.tuples(st.sampled_from(["lapse", "wait"]), st.just(0), st.just(0)),
    ),
    min_size=20,
    max_size=60,
)


@attrs.define(eq=False)
class Known:
    """What the model knows of a job."""

    job: NewJob
    place: tuple[int, int, int]
    status: JobStatus = JobStatus.PENDING
    runs: int = 0
    progress: int = 0
    holder: Claim | None = None
    lease_end_ms: int = 0


@attrs.define(eq=False)
class Model:
    """Runs each step on the store and on the dict, and compares."""

    store: RedisJobStore
    clock: Clock = attrs.field(factory=Clock)
    jobs: dict[JobId, Known] = attrs.field(factory=dict)
    last_claimed: dict[int, int] = attrs.field(factory=dict)
    last_given: dict[tuple[int, str], int] = attrs.field(factory=dict)
    # Every claim ever made, so that old ones may try their luck.
    claims: list[Claim] = attrs.field(factory=list)

    async def run(self, steps: list[Step]) -> None:
        for name, first, second in steps:
            match name:
                case "submit":
                    await self.submit(f"tenant-{first}", second)
                case "claim":
                    await self.claim(first)
                case "lapse" | "wait":
                    await self.lapse(LEASE_MS + 1 if name == "lapse" else LEASE_MS // 2)
                case _:
                    if self.claims:
                        await self.speak(name, self.claims[first % len(self.claims)], second)
            await self.compare()

    async def submit(self, tenant: str, priority: int) -> None:
        job = a_job(tenant, priority)
        lane = (priority, tenant)
        turn = max(self.last_claimed.get(priority, 0), self.last_given.get(lane, -1) + 1)
        self.last_given[lane] = turn
        self.jobs[job.job_id] = Known(job, (-priority, turn, len(self.jobs)))
        await self.store.submit(job)

    async def claim(self, slots: int) -> None:
        waiting = [known for known in self.jobs.values() if known.status is JobStatus.PENDING]
        expected = sorted(waiting, key=lambda known: known.place)[:slots]

        claims = await self.store.claim(BUILDS, slots)

        assert [claim.job_id for claim in claims] == [known.job.job_id for known in expected]
        for known, claim in zip(expected, claims, strict=True):
            known.status, known.runs, known.holder = JobStatus.PROCESSING, known.runs + 1, claim
            known.lease_end_ms = self.clock.ms + LEASE_MS
            assert claim.runs == known.runs
            priority, turn, _ = known.place
            self.last_claimed[-priority] = max(self.last_claimed.get(-priority, 0), turn)
        fences = {(claim.job_id, claim.fence) for claim in self.claims}
        assert not fences & {(claim.job_id, claim.fence) for claim in claims}
        self.claims += claims

    async def speak(self, name: str, claim: Claim, percent: int) -> None:
        known = self.jobs[claim.job_id]
        holds = known.holder is not None and known.holder.fence == claim.fence
        running = holds and known.status is JobStatus.PROCESSING
        match name:
            case "renew":
                assert await self.store.renew(claim.job_id, claim.fence) == running
                known.lease_end_ms = self.clock.ms + LEASE_MS if running else known.lease_end_ms
            case "progress":
                assert await self.store.progress(claim.job_id, claim.fence, percent) == running
                known.progress = max(known.progress, min(percent, 99)) if running else known.progress
            case "release":
                await self.release(known, claim, running=running)
            case _:
                outcome = PASSED if name == "finish" else FAILED
                # Who ended it is told so again.
                assert await self.store.finish(claim.job_id, claim.fence, outcome) == holds
                if running:
                    known.status = outcome.status
                    known.progress = 100 if name == "finish" else known.progress

    async def release(self, known: Known, claim: Claim, *, running: bool) -> None:
        done = await self.store.release(claim.job_id, claim.fence)
        # The release before may be told so again, which changes nothing.
        assert done or not running
        if running:
            known.status, known.runs, known.holder = JobStatus.PENDING, known.runs - 1, None

    async def lapse(self, ms: int) -> None:
        self.clock.pass_ms(ms)
        late = [
            known
            for known in self.jobs.values()
            if known.status is JobStatus.PROCESSING and known.lease_end_ms <= self.clock.ms
        ]
        reaped = await self.store.reap(BUILDS, 256)
        assert {*reaped.requeued, *reaped.poisoned} == {known.job.job_id for known in late}
        for known in late:
            known.holder = None
            poisoned = known.job.job_id in reaped.poisoned
            assert poisoned == (known.runs > 3)
            known.status = JobStatus.FAILED if poisoned else JobStatus.PENDING

    async def compare(self) -> None:
        states = [await self.store.read(job_id) for job_id in self.jobs]
        found = [(state.status, state.runs, state.progress) for state in states]
        assert found == [(known.status, known.runs, known.progress) for known in self.jobs.values()]
        stats = (await self.store.stats())[BUILDS]
        counted = (stats.waiting, stats.active, stats.completed, stats.failed)
        statuses = [known.status for known in self.jobs.values()]
        wanted = (JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.COMPLETED, JobStatus.FAILED)
        assert counted == tuple(statuses.count(status) for status in wanted)


async def history(server: RedisServer, steps: list[Step]) -> None:
    clock = Clock()
    store = RedisJobStore(server.config(key_prefix=f"test-{secrets.token_hex(6)}"), now_ms=clock)
    try:
        await Model(store, clock).run(steps)
    finally:
        await store.close()


@given(steps=STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_histories_go_as_the_model_says(redis_server: RedisServer, steps: list[Step]) -> None:
    asyncio.run(history(redis_server, steps))
