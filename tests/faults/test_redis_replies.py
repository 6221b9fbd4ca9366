"""F13: the connection is cut after a script was sent, and its reply is lost. Nothing is done twice, for each script."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import pytest_asyncio

from chef_supervisor.domain.job import Claim, Idempotency
from chef_supervisor.store.answers import Blame
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, LEASE_MS, PASSED, Clock, a_job, claim_one
from tests.integration.store.proxy import CuttingProxy, cutting_proxy
from tests.kit.invariants import violations
from tests.kit.redis_servers import RedisProcess

pytestmark = pytest.mark.asyncio


@attrs.define(eq=False, kw_only=True)
class World:
    """A store with two jobs, one of them claimed. `clock` is the store's."""

    store: RedisJobStore
    clock: Clock
    prefix: str
    claim: Claim


async def submit(world: World) -> object:
    job = attrs.evolve(a_job(), idempotency=Idempotency(key="key", body_sha256="digest"))
    return (await world.store.submit(job)).state.job_id == job.job_id


async def supersede(world: World) -> object:
    return (await world.store.submit(attrs.evolve(a_job(), supersedes=True))).superseded is not None


async def claim(world: World) -> object:
    return [(claimed.runs, claimed.payload) for claimed in await world.store.claim(BUILDS, 5)]


async def renew(world: World) -> object:
    return await world.store.renew(world.claim.job_id, world.claim.fence)


async def progress(world: World) -> object:
    return await world.store.progress(world.claim.job_id, world.claim.fence, 50)


async def finish(world: World) -> object:
    return await world.store.finish(world.claim.job_id, world.claim.fence, PASSED)


async def release(world: World) -> object:
    return await world.store.release(world.claim.job_id, world.claim.fence)


async def postpone(world: World) -> object:
    return await world.store.postpone(world.claim.job_id, world.claim.fence, Blame.PROJECT, "failed", 1000)


async def ruin(world: World) -> object:
    return await world.store.postpone(world.claim.job_id, world.claim.fence, Blame.INFRASTRUCTURE, "lost", 1000)


async def cancel(world: World) -> object:
    return (await world.store.cancel(world.claim.job_id)).status


async def reap(world: World) -> object:
    await world.store.reap(BUILDS)
    world.clock.pass_ms(LEASE_MS + 1)
    await world.store.reap(BUILDS)
    return (await world.store.read(world.claim.job_id)).status


async def take_back(world: World) -> object:
    await world.store.take_back(BUILDS)
    return (await world.store.read(world.claim.job_id)).status


SCRIPTS: Final[list[Callable[[World], Awaitable[object]]]] = [
    *(submit, supersede, claim, renew, progress, finish, release, postpone, ruin, cancel, reap, take_back),
]


@pytest_asyncio.fixture
async def cutting(own_redis: RedisProcess) -> AsyncIterator[tuple[CuttingProxy, str]]:
    with tempfile.TemporaryDirectory(prefix="chef-") as folder:
        async with cutting_proxy(own_redis, Path(folder)) as pair:
            yield pair


async def a_world(socket: str) -> World:
    clock, prefix = Clock(), f"test-{secrets.token_hex(6)}"
    store = RedisJobStore(StoreConfig(unix_socket=socket, key_prefix=prefix, instance="one"), now_ms=clock)
    await store.reap(BUILDS)
    for number in range(2):
        await store.submit(a_job(payload=f"{number}".encode()))
    return World(store=store, clock=clock, prefix=prefix, claim=await claim_one(store))


async def what_is_left(world: World) -> list[Any]:
    """Returns: all that can be seen of it, apart from names."""
    states = [await world.store.read(world.claim.job_id), (await world.store.stats())[BUILDS]]
    events = await world.store.events(BUILDS, "0-0", 0.01)
    orders = await world.store.orders(BUILDS, "0-0", 0.01)
    seen = [(event.kind, event.progress) for event in events]  # type: ignore[union-attr]
    return [attrs.evolve(states[0], job_id=""), states[1], seen, len(orders)]  # type: ignore[misc]


@pytest.mark.parametrize("cuts", [1, 2])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
async def test_f13_a_script_whose_reply_was_lost_has_done_its_work_once(
    own_redis: RedisProcess, cutting: tuple[CuttingProxy, str], script: Callable[[World], Awaitable[object]], cuts: int
) -> None:
    proxy, path = cutting
    assert own_redis.socket is not None
    undisturbed, world = await a_world(own_redis.socket), await a_world(path)
    expected = await script(undisturbed)
    proxy.cuts = cuts

    answer = await script(world)

    assert proxy.cuts == 0
    assert answer == expected
    assert await what_is_left(world) == await what_is_left(undisturbed)
    with own_redis.client() as client:
        assert violations(client, (), prefix=world.prefix) == []
    for one in (undisturbed, world):
        await one.store.close()
