"""The whole tree of a worker on a real Redis: actors made to raise in the middle of a job cost nothing but time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from chef_supervisor.api.dependencies import HealthReport
from chef_supervisor.assembly import make_workshop, store_config
from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobId, JobOptions, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.payload import pack
from chef_supervisor.domain.retry import Backoff
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepStarted, Work
from chef_supervisor.kernel import AnySpec, Ref, SupervisorSpec, run_tree
from chef_supervisor.leases.keeper import LeaseKeeper
from chef_supervisor.parts import Parts
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import load
from chef_supervisor.store.answers import JobState
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.redis_store import RedisJobStore
from chef_supervisor.tree import make_tree
from chef_supervisor.vitals import Vitals
from tests.kit.fake_sandbox import FakeSandbox, Play, endless, killed, passing
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process

BUILDS = QueueName("builds")
FILES = {"package.json": b'{"name": "x", "scripts": {"build": "true"}}'}
WITHIN_S = 30.0
BOX_WITHIN_S = 10.0
BRISK = {
    "CHEF_QUEUE_LEASE_S": "0.9",
    "CHEF_REDIS_COMMAND_TIMEOUT_S": "0.8",
    "CHEF_QUEUE_RENEW_S": "0.3",
    "CHEF_QUEUE_REAP_S": "0.2",
    "CHEF_WORKER_GRACE_S": "0.5",
}
# No renewal comes by itself while a test runs, nor does a grace end in time.
SLOW = {"CHEF_QUEUE_LEASE_S": "600", "CHEF_QUEUE_RENEW_S": "200", "CHEF_WORKER_GRACE_S": "20"}


@attrs.define(eq=False)
class Worker:
    """A running tree and what a test needs of it."""

    store: RedisJobStore
    config: StoreConfig
    sandbox: FakeSandbox
    vitals: Vitals
    tree: SupervisorSpec
    stop: asyncio.Event

    async def submit(self, options: JobOptions | None = None) -> JobId:
        """Queue a build."""
        job_id = new_job_id(BUILDS, secrets.token_bytes(16))
        job = NewJob(
            job_id=job_id,
            type=JobType.BUILD,
            tenant=Tenant("t"),
            payload=pack(Assignment(files=FILES)),
            options=options or JobOptions(),
        )
        await self.store.submit(job)
        return job_id

    async def no_box_is_open(self) -> None:
        """Return once nothing is left of any box."""
        async with asyncio.timeout(BOX_WITHIN_S):
            while self.sandbox.open:  # noqa: ASYNC110 - the fake tells nobody
                await asyncio.sleep(0.01)

    async def ended(self, job_id: JobId) -> JobState:
        """Returns: the job once it is over, told by the stream of events."""
        after = "0-0"
        async with asyncio.timeout(WITHIN_S):
            while not (state := await self.store.read(job_id)).status.terminal:
                events = await self.store.events(BUILDS, after, 1.0)
                after = events[-1].position if events else after
        return state

    def ref(self, *path: str) -> Ref[Any]:
        """Returns: the address at that path below the root."""
        spec: AnySpec = self.tree
        for name in path:
            assert isinstance(spec, SupervisorSpec)
            spec = next(child for child in spec.children if child.ref.name == name)
        return spec.ref


@pytest.fixture
def redis() -> Any:
    with running_process(REDIS_62) as server:
        yield server


@asynccontextmanager
async def worker(redis: RedisProcess, *plays: Play, pace: Mapping[str, str] = BRISK) -> AsyncIterator[Worker]:
    """Run the tree of a worker with those plays in its boxes; stop it in order when the context is left."""
    settings = load({"CHEF_ROLE": "worker", "CHEF_REDIS_UNIX_SOCKET": str(redis.socket), **pace})
    sandbox, vitals, stop = FakeSandbox(plays=list(plays)), Vitals(), asyncio.Event()
    config = store_config(settings)
    store = RedisJobStore(config)
    # The test itself is in no hurry.
    ours = RedisJobStore(attrs.evolve(config, command_timeout_s=20.0))
    make_store = lambda: RedisJobStore(config)  # noqa: E731
    parts = Parts(
        settings=settings,
        store=store,
        workshop=make_workshop(settings, WatchedSandbox(sandbox)),
        redis=None,
        leases=LeaseKeeper(make_store=make_store, renew_s=settings.queue.renew_s),
        vitals=vitals,
        health=lambda: HealthReport(sandbox="fake"),
        draining=stop.is_set,
    )
    it = Worker(ours, config, sandbox, vitals, make_tree(parts), stop)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_tree(it.tree, stop))
            try:
                yield it
            finally:
                stop.set()
    finally:
        await ours.close()
        await store.close()


async def failing(work: Work) -> AsyncIterator[BoxEvent]:
    """The project's own failure."""
    yield StepStarted(0)
    yield StepEnded(index=0, exit_code=1, ended_by=EndedBy.EXIT, ms=1)
    yield BoxEnded(complete=True, ended_by=EndedBy.EXIT)


async def raising(work: Work) -> AsyncIterator[BoxEvent]:
    """A bug of ours in the middle of a job."""
    yield StepStarted(0)
    raise RuntimeError("made to fail")


@pytest.mark.asyncio
async def test_a_runner_made_to_raise_costs_a_run(redis: RedisProcess) -> None:
    async with worker(redis, raising, passing) as it:
        state = await it.ended(await it.submit())

    assert (state.status, state.runs) == (JobStatus.COMPLETED, 2)


@pytest.mark.asyncio
async def test_a_pool_made_to_raise_costs_nothing(redis: RedisProcess) -> None:
    gate = asyncio.Event()

    async def gated(work: Work) -> AsyncIterator[BoxEvent]:
        await gate.wait()
        async for event in passing(work):
            yield event

    async with worker(redis, gated, passing) as it:
        job_id = await it.submit()
        await it.sandbox.started.wait()

        it.ref("engine", "pools", "builds").tell_nowait("no message of the protocol")
        later = await it.ended(await it.submit())
        gate.set()
        state = await it.ended(job_id)

    assert (state.status, state.runs) == (JobStatus.COMPLETED, 1)
    assert later.status is JobStatus.COMPLETED


@pytest.mark.asyncio
async def test_a_job_that_loses_every_run_ends_as_poisoned(redis: RedisProcess) -> None:
    async with worker(redis, raising) as it:
        state = await it.ended(await it.submit())

    assert (state.status, state.cause) == (JobStatus.FAILED, "poisoned")


@pytest.mark.asyncio
async def test_a_stopped_worker_puts_its_job_back(redis: RedisProcess) -> None:
    async with worker(redis, endless) as it:
        job_id = await it.submit()
        await it.sandbox.started.wait()

    store = RedisJobStore(it.config)
    state = await store.read(job_id)
    await store.close()
    assert (state.status, state.runs) == (JobStatus.PENDING, 0)


@pytest.mark.asyncio
async def test_a_box_killed_from_outside_costs_a_run_and_a_project_that_fails_an_attempt(redis: RedisProcess) -> None:
    options = JobOptions(attempts=2, backoff=Backoff(delay_ms=100))

    async with worker(redis, killed, failing, passing) as it:
        state = await it.ended(await it.submit(options))

    assert (state.status, state.runs, state.failures) == (JobStatus.COMPLETED, 3, 1)


@pytest.mark.asyncio
async def test_a_cancelled_job_loses_its_box_long_before_its_next_renewal(redis: RedisProcess) -> None:
    async with worker(redis, endless, pace=SLOW) as it:
        job_id = await it.submit()
        await it.sandbox.started.wait()

        await it.store.cancel(job_id)
        await it.no_box_is_open()

        assert (await it.store.read(job_id)).status is JobStatus.CANCELLED


@pytest.mark.asyncio
async def test_a_job_that_is_cancelled_while_the_worker_stops_is_not_waited_for(redis: RedisProcess) -> None:
    async with worker(redis, endless, pace=SLOW) as it:
        job_id = await it.submit()
        await it.sandbox.started.wait()
        it.stop.set()
        async with asyncio.timeout(WITHIN_S):
            while not it.ref("engine", "pools", "builds").closed:  # noqa: ASYNC110 - addresses tell nobody
                await asyncio.sleep(0.01)

        await it.store.cancel(job_id)
        await it.no_box_is_open()


@pytest.mark.asyncio
async def test_a_worker_shows_its_vital_signs(redis: RedisProcess) -> None:
    async with worker(redis, passing) as it:
        await it.ended(await it.submit())

        now = asyncio.get_running_loop().time()
        assert it.vitals.dispatched_at is not None
        assert now - it.vitals.dispatched_at < WITHIN_S
        # Only a loop that has ticked can be overdue.
        assert it.vitals.loop_lag_s(now + WITHIN_S) >= WITHIN_S / 2
