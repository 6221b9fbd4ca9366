"""What the tests of a runner share: a store, a sandbox, renewals on the same loop, and runners on all three."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs

from chef_supervisor.actors.runner import Runner
from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import (
    Claim,
    JobId,
    JobOptions,
    JobStatus,
    JobType,
    NewJob,
    QueueName,
    Tenant,
    new_job_id,
)
from chef_supervisor.domain.payload import pack
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepStarted, Work
from chef_supervisor.engine.plan import Budget
from chef_supervisor.engine.toolchains import load_toolchains
from chef_supervisor.kernel import Ref
from chef_supervisor.leases.renewals import Renewals
from chef_supervisor.sandboxes.sandbox import Limits
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import FileLimits, default_config
from chef_supervisor.store.answers import JobState
from chef_supervisor.workshop import Workshop
from tests.kit.fake_sandbox import FakeSandbox, Play, passing
from tests.kit.fake_store import FakeStore
from tests.kit.installer import make_installer
from tests.kit.recording import alone, until

TESTS: Final = QueueName("tests")
FILES: Final = {"package.json": b'{"name": "x", "scripts": {"test": "true"}}'}
RENEW_S: Final = 3.0
GRACE_S: Final = 5.0
# What no run is ever kept longer than, once it is nobody's.
DROPPED_WITHIN_S: Final = 1.0
_LIMITS: Final = Limits(memory_bytes=1 << 29, cpus=1.0, pids=64, workspace_bytes=1 << 28)


@attrs.define(eq=False)
class Bench:
    """A runner's whole world. `chance` is what its dice show."""

    store: FakeStore = attrs.field(factory=FakeStore)
    sandbox: FakeSandbox = attrs.field(factory=FakeSandbox)
    chance: float = 0.0
    runner: Ref[Any] = attrs.field(factory=lambda: Ref("runner"))
    leases: Renewals = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.leases = Renewals(store=self.store, renew_s=RENEW_S, stall_s=math.inf)

    @asynccontextmanager
    async def running(self, claim: Claim) -> AsyncIterator[None]:
        """Run the job; leaving the context stops the runner in order, and then the renewals."""
        watched = WatchedSandbox(self.sandbox)
        shop = Workshop(
            sandbox=watched,
            toolchains=load_toolchains(default_config() / "toolchains"),
            budget=Budget(steps_timeout_s=60, install_timeout_s=60, output_bytes=1000),
            job_limits=_LIMITS,
            file_limits=FileLimits(max_files=10, max_file_bytes=1000, max_total_bytes=5000),
            installer=make_installer(watched, _LIMITS),
        )
        build: Callable[[], Runner] = lambda: Runner(  # noqa: E731
            claim=claim,
            store=self.store,
            workshop=shop,
            leases=self.leases,
            grace_s=GRACE_S,
            chance=lambda: self.chance,
        )
        self.runner = Ref("runner")
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(self.leases.run())
            try:
                async with alone(self.runner, build):
                    yield
            finally:
                renewing.cancel()

    async def claimed(self, files: dict[str, bytes] = FILES, **options: Any) -> Claim:
        """Submit a job and claim it."""
        job_id = new_job_id(TESTS, b"\0" * 16)
        job = NewJob(
            job_id=job_id,
            type=JobType.TEST,
            tenant=Tenant("t"),
            payload=pack(Assignment(files=files)),
            options=JobOptions(**options),
        )
        await self.store.submit(job)
        return await self.claim()

    async def claim(self) -> Claim:
        """Claim the job (again), once it is due."""
        async with asyncio.timeout(100):
            while not (claims := await self.store.claim(TESTS, 1)):
                await asyncio.sleep(1.0)
                await self.store.reap(TESTS)
        return claims[0]

    def state(self, claim: Claim) -> JobState:
        """Returns: the job as it is in the store."""
        return self.store.jobs[claim.job_id].state

    async def until_over(self, job_id: JobId) -> JobStatus:
        """Returns: its end."""
        await until(lambda: self.store.jobs[job_id].state.status.terminal)
        return self.store.jobs[job_id].state.status

    async def until_gone(self) -> None:
        """Wait until the runner has ended by itself."""
        await until(lambda: self.runner.closed)


def bench(*plays: Play) -> Bench:
    """Returns: one whose boxes do that, one after the other; every step passes where nothing is said."""
    return Bench(sandbox=FakeSandbox(plays=list(plays or (passing,))))


def ending(ended_by: EndedBy, exit_code: int | None) -> Play:
    """Returns: what a box does whose first step ends so."""

    async def play(work: Work) -> AsyncIterator[BoxEvent]:
        yield StepStarted(0)
        yield StepEnded(index=0, exit_code=exit_code, ended_by=ended_by, ms=1)
        yield BoxEnded(complete=True, ended_by=EndedBy.EXIT)

    return play


failing: Final = ending(EndedBy.EXIT, 1)
timing_out: Final = ending(EndedBy.TIMEOUT, None)
