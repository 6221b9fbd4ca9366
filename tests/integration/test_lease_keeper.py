"""The thread that renews leases, on a real Redis: no busy loop starves it, and its own death is noticed."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import pytest
import redis

from chef_supervisor.actors.lease_keeper import LeaseKeeperActor
from chef_supervisor.domain.job import Claim, Fence, JobId, JobType, NewJob, QueueName, RunId, Tenant, new_job_id
from chef_supervisor.kernel import ChildSpec, Ref, SupervisorSpec, run_tree
from chef_supervisor.leases.keeper import LeaseKeeper
from chef_supervisor.store.redis_store import RedisJobStore
from tests.kit.fake_store import FakeStore
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process

BUILDS = QueueName("builds")
LEASE_S, RENEW_S = 1.5, 0.3
WITHIN_S = 20.0


@pytest.fixture(scope="module", name="server")
def server_fixture() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


@attrs.define(eq=False)
class Scene:
    """A job that is claimed, a keeper that runs, and Redis as seen from behind."""

    server: RedisProcess
    store: RedisJobStore
    keeper: LeaseKeeper
    behind: redis.Redis
    prefix: str
    keeping: asyncio.Task[None]

    async def claimed(self) -> Claim:
        """Queue a job and claim it."""
        job_id = new_job_id(BUILDS, secrets.token_bytes(16))
        await self.store.submit(NewJob(job_id=job_id, type=JobType.BUILD, tenant=Tenant("t"), payload=b""))
        [claim] = await self.store.claim(BUILDS, 1)
        return claim

    def lease_left_s(self, claim: Claim) -> float:
        """Returns: by the server's clock, asked without a turn of the loop; negative where it ran out."""
        end_ms = self.behind.zscore(f"{self.prefix}:{{builds.0}}:active", claim.job_id)
        assert isinstance(end_ms, float)
        seconds, micros = self.behind.time()
        return end_ms / 1000 - seconds - micros / 1e6


@asynccontextmanager
async def scene(server: RedisProcess, stall_s: float = 60.0) -> AsyncIterator[Scene]:
    """Keep leases until the context is left."""
    prefix = f"test-{secrets.token_hex(4)}"
    config = server.config(queues=(BUILDS,), lease_s=LEASE_S, key_prefix=prefix, command_timeout_s=1.0)
    store = RedisJobStore(config)
    keeper = LeaseKeeper(make_store=lambda: RedisJobStore(config), renew_s=RENEW_S, stall_s=stall_s)
    try:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(keeper.keep())
            await asyncio.sleep(0)
            yield Scene(server, store, keeper, server.client(), prefix, keeping)
            keeping.cancel()
    finally:
        await store.close()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("leases")]


def never() -> None:
    pytest.fail("a lease was lost")


@pytest.mark.asyncio
async def test_a_main_loop_that_is_busy_for_longer_than_a_lease_loses_none(server: RedisProcess) -> None:
    async with scene(server) as it:
        claim = await it.claimed()
        it.keeper.hold(claim.run, claim.fence, never)

        time.sleep(2 * LEASE_S)  # noqa: ASYNC251 - a busy loop is what this is about
        left_s = it.lease_left_s(claim)

        assert left_s > 0
        assert await it.store.renew(claim.job_id, claim.fence)


@pytest.mark.asyncio
async def test_a_main_loop_that_is_dead_loses_its_leases(server: RedisProcess) -> None:
    async with scene(server, stall_s=0.2) as it:
        claim = await it.claimed()
        it.keeper.hold(claim.run, claim.fence, never)
        for _ in range(15):
            it.keeper.turned()
            await asyncio.sleep(0.1)
        kept = it.lease_left_s(claim) > 0

        time.sleep(2 * LEASE_S)  # noqa: ASYNC251 - a busy loop is what this is about

        assert kept
        assert it.lease_left_s(claim) < 0


@pytest.mark.asyncio
async def test_the_loss_of_a_lease_is_told_once_on_the_main_loop(server: RedisProcess) -> None:
    told: asyncio.Queue[tuple[RunId, str]] = asyncio.Queue()

    def tell(run: RunId) -> None:
        told.put_nowait((run, threading.current_thread().name))

    async with scene(server) as it, asyncio.timeout(WITHIN_S):
        first, second = await it.claimed(), await it.claimed()
        for claim in (first, second):
            it.keeper.hold(claim.run, claim.fence, partial(tell, claim.run))

        await it.store.release(first.job_id, first.fence)
        heard = [await told.get()]
        await it.store.release(second.job_id, second.fence)
        heard.append(await told.get())

        # Were it told at each renewal, the first would be in both places.
        main = threading.main_thread().name
        assert heard == [(first.run, main), (second.run, main)]
        assert told.empty()


@pytest.mark.asyncio
async def test_what_was_dropped_runs_out(server: RedisProcess) -> None:
    async with scene(server) as it:
        claim = await it.claimed()
        it.keeper.hold(claim.run, claim.fence, never)
        it.keeper.drop(claim.run, claim.fence)

        async with asyncio.timeout(WITHIN_S):
            while it.lease_left_s(claim) > 0:  # noqa: ASYNC110 - Redis tells nobody that a lease ran out
                await asyncio.sleep(RENEW_S)


@pytest.mark.asyncio
async def test_the_thread_ends_with_its_keeper_also_while_redis_hangs(server: RedisProcess) -> None:
    async with scene(server) as it:
        claim = await it.claimed()
        it.keeper.hold(claim.run, claim.fence, never)
        before = threads()
        server.pause()
        it.keeper.renew_soon()
        try:
            it.keeping.cancel()
            async with asyncio.timeout(WITHIN_S):
                await asyncio.wait({it.keeping})
        finally:
            server.resume()

        assert len(before) == 1
        assert threads() == []


@attrs.define(eq=False)
class Renewer(FakeStore):
    """Says who was renewed in it; `breaks` makes it raise what is nobody's plan."""

    breaks: bool = False
    renewed: threading.Event = attrs.field(factory=threading.Event)

    async def renew(self, job_id: JobId, fence: Fence) -> bool:
        if self.breaks:
            raise ValueError("made to fail")
        self.renewed.set()
        return True


@pytest.mark.asyncio
async def test_a_dead_thread_is_an_actor_that_crashed_and_the_next_one_keeps_what_was_held(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stores = [Renewer(breaks=True), Renewer()]
    left = iter(stores)
    keeper = LeaseKeeper(make_store=lambda: next(left), renew_s=RENEW_S)
    keeper.hold(RunId(JobId("a"), 1), Fence(1, "nonce"), never)

    async with supervised(lambda: LeaseKeeperActor(keeper=keeper)):
        renewed = await asyncio.to_thread(stores[1].renewed.wait, WITHIN_S)

    crashes = [record for record in caplog.records if getattr(record, "event", "") == "actor.crashed"]
    assert renewed
    assert len(crashes) == 1
    assert threads() == []


@asynccontextmanager
async def supervised(build: Callable[[], LeaseKeeperActor]) -> AsyncIterator[None]:
    """Run it, restarted when it dies, until the context is left."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_tree(SupervisorSpec("root", (ChildSpec(Ref("leases"), build),)), stop))
        try:
            yield
        finally:
            stop.set()
