"""Dispatcher and pools together: slots are shared in turn, and no death of a pool or runner leaks one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs

from chef_supervisor.actors.dispatcher import Dispatcher
from chef_supervisor.actors.pool import Pool
from chef_supervisor.domain.job import Claim, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.slots import Slots
from chef_supervisor.kernel import Actor, ChildSpec, DynamicSpec, Ref, Strategy, SupervisorSpec, run_tree
from chef_supervisor.protocol import WorkArrived
from chef_supervisor.sandboxes.watched import WatchedSandbox
from tests.kit.fake_sandbox import FakeSandbox
from tests.kit.fake_store import FakeStore
from tests.kit.recording import until
from tests.kit.virtual_time import virtual

BUILDS, TESTS = QueueName("builds"), QueueName("tests")


@attrs.define(eq=False)
class Waker(FakeStore):
    """Blocks in wait_for_work as Redis would; the fake answers at once. A claim's answer takes `claim_s`."""

    claim_s: float = 0.0

    async def wait_for_work(self, queue: QueueName, timeout_s: float) -> bool:
        await asyncio.sleep(timeout_s)
        return await super().wait_for_work(queue, timeout_s)

    async def claim(self, queue: QueueName, slots: int) -> Sequence[Claim]:
        claims = await super().claim(queue, slots)
        await asyncio.sleep(self.claim_s)
        return claims


@attrs.define(eq=False)
class Idle(Actor[Any]):
    """A runner that goes on until it is let go or made to crash."""

    claim: Claim
    house: House

    async def on_start(self) -> None:
        self.house.running[self.claim.job_id] = self
        self.house.on_begin(self.claim.job_id)

    async def receive(self, message: object) -> None:
        self.house.running.pop(self.claim.job_id)
        if isinstance(message, Exception):
            raise message
        self.ctx.stop()


@attrs.define(eq=False)
class House:
    """A dispatcher, its pools and their runners on a fake store."""

    store: Waker = attrs.field(factory=Waker)
    sandbox: FakeSandbox = attrs.field(factory=FakeSandbox)
    watched: WatchedSandbox = attrs.field(
        default=attrs.Factory(lambda self: WatchedSandbox(self.sandbox), takes_self=True)
    )
    on_begin: Callable[[str], None] = lambda _: None
    running: dict[str, Idle] = attrs.field(factory=dict)
    dispatcher: Ref[Any] = attrs.field(factory=lambda: Ref("dispatcher"))
    pools: Mapping[QueueName, Ref[Any]] = attrs.field(factory=lambda: {BUILDS: Ref(BUILDS), TESTS: Ref(TESTS)})
    serial: int = 0

    async def submit(self, queue: QueueName, count: int) -> None:
        for _ in range(count):
            self.serial += 1
            job_id = new_job_id(queue, self.serial.to_bytes(16, "big"))
            await self.store.submit(NewJob(job_id=job_id, type=JobType.BUILD, tenant=Tenant("t"), payload=b""))

    def of(self, queue: QueueName) -> list[Idle]:
        return [runner for job_id, runner in self.running.items() if job_id.startswith(f"{queue}.")]

    def pool(self, queue: QueueName, runners: Ref[Any]) -> ChildSpec:
        build = lambda: Pool(  # noqa: E731
            queue=queue,
            runners=runners,
            dispatcher=self.dispatcher,
            make_runner=lambda claim: Idle(claim, self),
            runner_shutdown_s=1.0,
        )
        return ChildSpec(self.pools[queue], build)

    def tree(self, slots: int) -> SupervisorSpec:
        runners: Ref[Any] = Ref("runners")
        build = lambda: Dispatcher(  # noqa: E731
            store=self.store,
            pools=self.pools,
            slots=Slots(slots, {BUILDS: 0, TESTS: 0}),
            sandbox=self.watched,
            poll_s=1.0,
        )
        pools = SupervisorSpec("pools", tuple(self.pool(queue, runners) for queue in self.pools))
        children = (DynamicSpec(runners), pools, ChildSpec(self.dispatcher, build))
        return SupervisorSpec("engine", children, strategy=Strategy.REST_FOR_ONE)


@asynccontextmanager
async def house(slots: int, waiting: int = 0) -> AsyncIterator[House]:
    """Run a house, with so many jobs in each queue when it starts; stop it in order when the context is left."""
    it, stop = House(), asyncio.Event()
    for queue in it.pools:
        await it.submit(queue, waiting)
    async with asyncio.TaskGroup() as group:
        group.create_task(run_tree(it.tree(slots), stop))
        try:
            yield it
        finally:
            stop.set()


@virtual
async def test_no_more_is_claimed_than_there_are_slots() -> None:
    async with house(slots=3) as it:
        await it.submit(BUILDS, 5)

        await until(lambda: len(it.running) == 3)
        await asyncio.sleep(5)

        statuses = [held.state.status for held in it.store.jobs.values()]
        assert statuses.count(JobStatus.PROCESSING) == 3


@virtual
async def test_queues_take_turns_for_the_slots() -> None:
    async with house(slots=4, waiting=10) as it:
        await until(lambda: len(it.running) == 4)

        assert (len(it.of(BUILDS)), len(it.of(TESTS))) == (2, 2)


@virtual
async def test_a_queue_that_waits_gets_the_next_free_slot() -> None:
    async with house(slots=2) as it:
        await it.submit(BUILDS, 10)
        await until(lambda: len(it.of(BUILDS)) == 2)
        await it.submit(TESTS, 1)
        await asyncio.sleep(2)

        it.of(BUILDS)[0].ctx.ref.tell_nowait("done")

        await until(lambda: len(it.of(TESTS)) == 1)


@virtual
async def test_a_freed_slot_is_used_at_once() -> None:
    async with house(slots=1) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 1)
        [first] = it.running.values()

        first.ctx.ref.tell_nowait("done")

        await until(lambda: it.running != {} and first not in it.running.values())


@virtual
async def test_a_hint_is_taken_without_waiting_for_the_poll() -> None:
    async with house(slots=1) as it:
        await asyncio.sleep(0.5)
        await it.submit(BUILDS, 1)

        it.dispatcher.tell_nowait(WorkArrived(BUILDS))

        await until(lambda: len(it.running) == 1, within_s=0.1)


@virtual
async def test_a_crashed_runner_frees_its_slot() -> None:
    async with house(slots=1) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 1)
        [first] = it.running.values()

        first.ctx.ref.tell_nowait(RuntimeError("made to fail"))

        await until(lambda: it.running != {} and first not in it.running.values())


@virtual
async def test_a_crashed_pool_leaves_its_runners_running_and_their_slots_taken() -> None:
    async with house(slots=2) as it:
        await it.submit(BUILDS, 5)
        await until(lambda: len(it.running) == 2)
        before = set(it.running)

        it.pools[BUILDS].tell_nowait("no message of the protocol")
        await asyncio.sleep(5)

        assert set(it.running) == before


@virtual
async def test_a_runner_that_ends_after_its_pool_crashed_frees_its_slot() -> None:
    async with house(slots=1) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 1)
        [first] = it.running.values()
        it.pools[BUILDS].tell_nowait("no message of the protocol")
        await asyncio.sleep(5)

        first.ctx.ref.tell_nowait("done")

        await until(lambda: it.running != {} and first not in it.running.values())


@virtual
async def test_a_restarted_dispatcher_counts_what_its_pools_hold() -> None:
    async with house(slots=2) as it:
        await it.submit(BUILDS, 5)
        await until(lambda: len(it.running) == 2)

        it.dispatcher.tell_nowait("no message of the protocol")
        await asyncio.sleep(5)

        assert len(it.running) == 2


@virtual
async def test_claims_go_on_when_the_store_is_back() -> None:
    async with house(slots=1) as it:
        it.store.away = True
        await asyncio.sleep(5)
        it.store.away = False
        await it.submit(BUILDS, 1)

        await until(lambda: len(it.running) == 1, within_s=5)


@virtual
async def test_nothing_is_claimed_while_the_sandbox_is_away() -> None:
    async with house(slots=1) as it:
        it.sandbox.away = True
        await it.watched.is_away()
        await it.submit(BUILDS, 3)

        await asyncio.sleep(60)
        runs = [held.state.runs for held in it.store.jobs.values()]
        it.sandbox.away = False

        assert runs == [0, 0, 0]
        await until(lambda: len(it.running) == 1)


@virtual
async def test_a_job_claimed_while_the_process_stops_still_gets_a_runner() -> None:
    begun: list[str] = []
    async with house(slots=1) as it:
        it.on_begin = begun.append
        it.store.claim_s = 0.5
        await it.submit(BUILDS, 1)
        [job] = it.store.jobs.values()
        # Redis gave the job away; its answer is still under way when the stop comes.
        await until(lambda: job.state.status is JobStatus.PROCESSING)
        early = list(begun)

    assert early == []
    assert begun == [job.job.job_id]
