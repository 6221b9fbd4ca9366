"""A notifier, receivers and a store, in virtual time, and jobs whose events are told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import attrs

from chef_supervisor.actors.notifier import Notifier
from chef_supervisor.domain.delivery import DeliveryState, ReceiverName
from chef_supervisor.domain.job import Claim, JobId, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.subscriber import Subscriber
from chef_supervisor.kernel import ChildSpec, Ref, SupervisorSpec, run_tree
from chef_supervisor.webhooks.receivers import Receivers
from tests.kit.fake_receiver import FakeReceiver
from tests.kit.fake_rows import LEASE_MS
from tests.kit.fake_store import FakeStore
from tests.kit.recording import until

CONVEX, HOOK = ReceiverName("convex"), ReceiverName("hook.ci")
BUILDS, TESTS = QueueName("builds"), QueueName("tests")
PASSED = Outcome(status=JobStatus.COMPLETED, result=Result(verdict=Verdict.PASSED))
LEASE_S, GRACE_S = LEASE_MS / 1000, 10.0


@attrs.define(eq=False)
class Bench:
    """`store` and `receivers` before the notifier runs; jobs at any time. Without `hints`, the notifier must look."""

    receivers: Receivers
    store: FakeStore = attrs.field(factory=FakeStore)
    changed: asyncio.Event = attrs.field(factory=asyncio.Event)
    hints: bool = True
    chance: float = 0.0
    queues: tuple[QueueName, ...] = (BUILDS, TESTS)
    _skipped_ms: float = 0.0
    _numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    def __attrs_post_init__(self) -> None:
        self.store.delivery_clock_ms = self.clock_ms

    def clock_ms(self) -> float:
        """Returns: the time of the outbox."""
        return asyncio.get_running_loop().time() * 1000 + self._skipped_ms

    def skip_s(self, seconds: float) -> None:
        """Let hours pass for the outbox, in which nothing would happen."""
        self._skipped_ms += max(0.0, seconds) * 1000

    @classmethod
    def of(cls, *receivers: FakeReceiver, hints: bool = True) -> Bench:
        """Returns: one with those receivers."""
        return cls(Receivers(configured=receivers), hints=hints)

    @asynccontextmanager
    async def notifier(self) -> AsyncIterator[None]:
        """Run it, restarting it when it crashes; stop it in order."""
        if self.hints:
            self.store.on_change = lambda _: self.changed.set()
        child = ChildSpec(Ref("notifier"), self.build, shutdown_s=GRACE_S + 3)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(run_tree(SupervisorSpec("test", (child,)), stop))
            try:
                yield
            finally:
                stop.set()

    async def start(self, *subscribers: ReceiverName, queue: QueueName = BUILDS, progress: bool = True) -> Claim:
        """Submit and claim a job that those are told of."""
        return await self.claim(*(Subscriber(receiver=name, progress=progress) for name in subscribers), queue=queue)

    async def claim(self, *subscribers: Subscriber, queue: QueueName = BUILDS) -> Claim:
        """The same."""
        job = NewJob(
            job_id=new_job_id(queue, next(self._numbers).to_bytes(16)),
            type=JobType.BUILD,
            tenant=Tenant("a"),
            priority=5,
            payload=b"{}",
            subscribers=subscribers,
        )
        await self.store.submit(job)
        [claim] = await self.store.claim(queue, 1)
        return claim

    async def finish(self, claim: Claim) -> JobId:
        """End it."""
        assert await self.store.finish(claim.job_id, claim.fence, PASSED)
        return claim.job_id

    async def ended(self, *subscribers: ReceiverName, queue: QueueName = BUILDS) -> JobId:
        """Start and finish a job; those are told of its end alone."""
        return await self.finish(await self.start(*subscribers, queue=queue, progress=False))

    async def state(self, job_id: JobId) -> DeliveryState:
        """Returns: what became of telling the one subscriber of that job."""
        [state] = await self.store.deliveries(job_id)
        return state

    async def until_settled(self, count: int = 1, within_s: float = 100.0) -> None:
        """Wait until so many deliveries were settled."""
        await until(lambda: len(self.store.settlements) >= count, within_s)

    def build(self) -> Notifier:
        """Returns: one incarnation."""
        return Notifier(
            store=self.store,
            queues=self.queues,
            receivers=self.receivers,
            changed=self.changed,
            lease_s=LEASE_S,
            grace_s=GRACE_S,
            chance=lambda: self.chance,
        )
