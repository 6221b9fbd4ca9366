"""What the tests of dispatcher and pools share: both of them, and runners that only wait, on a fake store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs

from chef_supervisor.actors.dispatcher import Dispatcher
from chef_supervisor.actors.pool import Pool
from chef_supervisor.domain.job import Claim, JobType, NewJob, QueueName, RunId, Tenant, new_job_id
from chef_supervisor.domain.slots import Slots
from chef_supervisor.kernel import Actor, ChildSpec, DynamicSpec, Ref, Strategy, SupervisorSpec, run_tree
from chef_supervisor.protocol import EndRun
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.vitals import Vitals
from tests.kit.fake_sandbox import FakeSandbox
from tests.kit.fake_store import FakeStore

BUILDS: Final = QueueName("builds")
TESTS: Final = QueueName("tests")


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
    """A runner that goes on until it is let go or made to crash; orders it only notes."""

    claim: Claim
    house: House

    async def on_start(self) -> None:
        self.house.running[self.claim.run] = self
        self.house.on_begin(self.claim.job_id)

    async def receive(self, message: object) -> None:
        if isinstance(message, EndRun):
            self.house.ordered.append(self.claim.run)
            return
        self.house.running.pop(self.claim.run)
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
    vitals: Vitals = attrs.field(factory=Vitals)
    on_begin: Callable[[str], None] = lambda _: None
    running: dict[RunId, Idle] = attrs.field(factory=dict)
    # The runs that were told to end.
    ordered: list[RunId] = attrs.field(factory=list)
    dispatcher: Ref[Any] = attrs.field(factory=lambda: Ref("dispatcher"))
    pools: Mapping[QueueName, Ref[Any]] = attrs.field(factory=lambda: {BUILDS: Ref(BUILDS), TESTS: Ref(TESTS)})
    taken_over: asyncio.Event = attrs.field(factory=asyncio.Event)
    serial: int = 0
    poll_s: float = 1.0

    def __attrs_post_init__(self) -> None:
        # No earlier process has left anything.
        self.taken_over.set()

    async def submit(self, queue: QueueName, count: int) -> None:
        """Queue so many jobs."""
        for _ in range(count):
            self.serial += 1
            job_id = new_job_id(queue, self.serial.to_bytes(16, "big"))
            await self.store.submit(NewJob(job_id=job_id, type=JobType.BUILD, tenant=Tenant("t"), payload=b""))

    def of(self, queue: QueueName) -> list[Idle]:
        """Returns: the runners of that queue."""
        return [runner for run, runner in self.running.items() if run.job_id.startswith(f"{queue}.")]

    def tree(self, slots: int) -> SupervisorSpec:
        """Returns: all of it, as the real tree has it."""
        runners: Ref[Any] = Ref("runners")
        build = lambda: Dispatcher(  # noqa: E731
            store=self.store,
            pools=self.pools,
            slots=Slots(slots, {BUILDS: 0, TESTS: 0}),
            sandbox=self.watched,
            vitals=self.vitals,
            poll_s=self.poll_s,
            taken_over=self.taken_over,
        )
        pools = SupervisorSpec("pools", tuple(self._pool(queue, runners) for queue in self.pools))
        children = (DynamicSpec(runners), pools, ChildSpec(self.dispatcher, build))
        return SupervisorSpec("engine", children, strategy=Strategy.REST_FOR_ONE)

    def _pool(self, queue: QueueName, runners: Ref[Any]) -> ChildSpec:
        build = lambda: Pool(  # noqa: E731
            queue=queue,
            runners=runners,
            dispatcher=self.dispatcher,
            make_runner=lambda claim: Idle(claim, self),
            runner_shutdown_s=1.0,
        )
        return ChildSpec(self.pools[queue], build)


@asynccontextmanager
async def house(slots: int, waiting: int = 0, poll_s: float = 1.0) -> AsyncIterator[House]:
    """Run a house, with so many jobs in each queue when it starts; stop it in order when the context is left."""
    it, stop = House(poll_s=poll_s), asyncio.Event()
    for queue in it.pools:
        await it.submit(queue, waiting)
    async with asyncio.TaskGroup() as group:
        group.create_task(run_tree(it.tree(slots), stop))
        try:
            yield it
        finally:
            stop.set()
