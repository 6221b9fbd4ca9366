"""A real Redis, notifiers with endpoints on real sockets, and jobs that those are told of."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import attrs

from chef_supervisor.actors.notifier import Notifier
from chef_supervisor.domain.delivery import DeliveryState, DeliveryStatus, ReceiverName
from chef_supervisor.domain.job import Claim, JobId, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.subscriber import Subscriber
from chef_supervisor.kernel import ChildSpec, Ref, SupervisorSpec, run_tree
from chef_supervisor.store.redis_store import RedisJobStore
from chef_supervisor.webhooks.endpoint import Endpoint, endpoint_target
from chef_supervisor.webhooks.making import make_endpoint
from chef_supervisor.webhooks.receivers import Receivers
from chef_supervisor.webhooks.signing import parse_secrets
from tests.kit.redis_servers import RedisProcess

BUILDS, LINT = QueueName("builds"), QueueName("lint")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PASSED = Outcome(status=JobStatus.COMPLETED, result=Result(verdict=Verdict.PASSED))
LEASE_S, WITHIN_S, LOOK_S = 30.0, 30.0, 0.02


@attrs.define(eq=False)
class Scene:
    """Jobs on a Redis, and notifiers with stores of their own."""

    server: RedisProcess
    prefix: str
    stack: AsyncExitStack
    store: RedisJobStore = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = self.another_store(command_timeout_s=30.0)

    def another_store(self, **fields: float) -> RedisJobStore:
        """Returns: one on the same data."""
        config = self.server.config(
            queues=(BUILDS, LINT), key_prefix=self.prefix, **{"command_timeout_s": 1.0, **fields}
        )
        store = RedisJobStore(config)
        self.stack.push_async_callback(store.close)
        return store

    @asynccontextmanager
    async def notifier(self, **ports: int) -> AsyncIterator[None]:
        """Tell the endpoints `hook.<name>` at those ports; stop it in order."""
        async with self.telling(Receivers(configured=[_endpoint(name, port) for name, port in ports.items()])):
            yield

    @asynccontextmanager
    async def telling(self, receivers: Receivers) -> AsyncIterator[None]:
        """Tell those; stop it in order."""
        store, changed = self.another_store(), asyncio.Event()
        self.store.on_change = lambda _: changed.set()

        def build() -> Notifier:
            return Notifier(
                store=store,
                queues=(BUILDS, LINT),
                receivers=receivers,
                changed=changed,
                lease_s=LEASE_S,
                grace_s=1.0,
            )

        stop = asyncio.Event()
        spec = SupervisorSpec("test", (ChildSpec(Ref("notifier"), build, shutdown_s=4.0),))
        async with asyncio.TaskGroup() as group:
            group.create_task(run_tree(spec, stop))
            try:
                yield
            finally:
                stop.set()
        await receivers.close()

    async def start(self, *endpoints: str, queue: QueueName = BUILDS) -> Claim:
        """Submit and claim a job that those are told of."""
        job = NewJob(
            job_id=new_job_id(queue, secrets.token_bytes(16)),
            type=JobType.BUILD,
            tenant=Tenant("a"),
            priority=5,
            payload=b"{}",
            subscribers=tuple(Subscriber(receiver=ReceiverName(f"hook.{name}")) for name in endpoints),
        )
        await self.store.submit(job)
        [claim] = await self.store.claim(queue, 1)
        return claim

    async def finish(self, claim: Claim) -> JobId:
        """End it."""
        assert await self.store.finish(claim.job_id, claim.fence, PASSED)
        return claim.job_id

    async def settled(self, job_id: JobId, status: DeliveryStatus = DeliveryStatus.DELIVERED) -> list[DeliveryState]:
        """Wait until all of its deliveries are that. Returns: them."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                states = await self.store.deliveries(job_id)
                if {state.status for state in states} == {status}:
                    return list(states)
                await asyncio.sleep(LOOK_S)


def _endpoint(name: str, port: int) -> Endpoint:
    return make_endpoint(
        name,
        endpoint_target("url", f"http://127.0.0.1:{port}/told"),
        parse_secrets("secrets", [SECRET]),
        tls=ssl.create_default_context(),
        progress=True,
        concurrency=4,
    )


async def until(holds: Callable[[], object]) -> None:
    """Look again and again; an error where it does not come to hold."""
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - a server tells nobody what it was sent
            await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def scene(server: RedisProcess) -> AsyncIterator[Scene]:
    prefix = f"test-{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        yield Scene(server, prefix, stack)
