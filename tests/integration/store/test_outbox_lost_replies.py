"""Replies that were lost, and callers that are gone when theirs comes: nothing is taken or settled twice."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chef_supervisor.domain.delivery import DeliveryStatus, Settlement
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, Clock
from tests.integration.store.proxy import CuttingProxy, cutting_proxy
from tests.integration.store.telling import (
    CONVEX,
    ended,
    finish,
    start,
    state_of,
    take_all,
    take_one,
)
from tests.kit.redis_servers import RedisServer

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def proxied(
    redis_server: RedisServer, prefix: str, clock: Clock
) -> AsyncIterator[tuple[CuttingProxy, RedisJobStore]]:
    with tempfile.TemporaryDirectory(prefix="chef-") as folder:
        async with cutting_proxy(redis_server, Path(folder)) as (proxy, path):
            store = RedisJobStore(StoreConfig(unix_socket=path, key_prefix=prefix), now_ms=clock)
            yield proxy, store
            await store.close()


async def test_who_lost_the_reply_gets_the_deliveries_that_it_took(
    proxied: tuple[CuttingProxy, RedisJobStore], clock: Clock
) -> None:
    proxy, store = proxied
    jobs = []
    for _ in range(3):
        jobs.append(await ended(store))
        clock.pass_ms(1)
    proxy.cuts = 1

    taken = await take_all(store, slots=2)

    assert proxy.cuts == 0
    assert [(one.job_id, one.tries) for one in taken] == [(jobs[0], 0), (jobs[1], 0)]
    assert (await store.delivery_counts())[BUILDS].tries == 2
    assert await store.settle(taken[0], Settlement.TAKEN)
    assert (await take_one(store)).job_id == jobs[2]


async def test_what_came_while_the_reply_was_lost_is_what_is_taken(store: RedisJobStore) -> None:
    """The same nonce again, with another event in the row: that one is on lease now."""
    claim = await start(store)
    commands = store._at(BUILDS)
    [[_, seq, *_]] = await commands.deliver.call((CONVEX, "n", 1))
    await finish(store, claim)

    [[_, later, kind, *_, tries, failed, _]] = await commands.deliver.call((CONVEX, "n", 1))

    assert (seq, later, kind, tries, failed) == (b"1", b"1001", b"job.completed", 0, 0)
    assert (await store.delivery_counts())[BUILDS].tries == 2


async def test_a_settlement_whose_reply_was_lost_is_done_once(
    proxied: tuple[CuttingProxy, RedisJobStore],
) -> None:
    proxy, store = proxied
    job_id = await ended(store)
    delivery = await take_one(store)
    proxy.cuts = 2

    assert await store.settle(delivery, Settlement.TAKEN)

    assert proxy.cuts == 0
    assert (await state_of(store, job_id)).status is DeliveryStatus.DELIVERED
    assert (await store.delivery_counts())[BUILDS].delivered == 1


async def test_who_is_cancelled_while_it_takes_leaves_none_behind(store: RedisJobStore) -> None:
    """Whether its flight had left or even landed: no event waits for a lease to run out, and no try is counted."""
    job_id = await ended(store)
    for turns in range(12):
        taking = asyncio.ensure_future(store.take_deliveries(BUILDS, CONVEX, 1))
        for _ in range(turns):
            await asyncio.sleep(0)
        taking.cancel()
        [end] = await asyncio.gather(taking, return_exceptions=True)
        if not isinstance(end, asyncio.CancelledError):
            break
        for batcher in store._at(BUILDS).batchers():
            await batcher.close()

        delivery = await take_one(store)
        assert (delivery.job_id, delivery.tries) == (job_id, 0)
        await store.settle(delivery, Settlement.BACK)
