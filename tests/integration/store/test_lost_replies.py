"""A reply that was lost: what was asked for has happened, and must not happen again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis

from chef_supervisor.domain.errors import Bug, StoreUnavailable
from chef_supervisor.domain.job import JobStatus, NewJob
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    PASSED,
    Clock,
    a_job,
    claim_one,
    let_leases_end,
    submit,
    submit_together,
)
from tests.integration.store.proxy import CuttingProxy, cutting_proxy
from tests.kit.redis_servers import RedisServer

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def proxied(redis_server: RedisServer) -> AsyncIterator[tuple[CuttingProxy, str]]:
    with tempfile.TemporaryDirectory(prefix="chef-") as folder:  # a short path, for it becomes a socket's
        async with cutting_proxy(redis_server, Path(folder)) as pair:
            yield pair


@pytest.fixture
def proxy(proxied: tuple[CuttingProxy, str]) -> CuttingProxy:
    return proxied[0]


@pytest_asyncio.fixture
async def store(proxied: tuple[CuttingProxy, str], prefix: str, clock: Clock) -> AsyncIterator[RedisJobStore]:
    store = RedisJobStore(StoreConfig(unix_socket=proxied[1], key_prefix=prefix), now_ms=clock)
    yield store
    await store.close()


async def test_a_submission_is_one_job(store: RedisJobStore, proxy: CuttingProxy) -> None:
    proxy.cuts = 1

    state = (await store.submit(a_job())).state

    assert proxy.cuts == 0
    assert state.status is JobStatus.PENDING
    assert (await store.stats())[BUILDS].waiting == 1
    assert await store.tail(BUILDS) == "1-0"


async def test_a_batch_of_submissions_is_as_many_jobs(store: RedisJobStore, proxy: CuttingProxy) -> None:
    await submit(store, a_job())  # the scripts are loaded now
    proxy.cuts = 1

    states = await submit_together(store, [a_job() for _ in range(100)])

    assert proxy.cuts == 0
    assert len({state.job_id for state in states}) == 100
    assert (await store.stats())[BUILDS].waiting == 101
    assert await store.tail(BUILDS) == "101-0"


async def test_a_claim_gets_the_jobs_that_it_took(store: RedisJobStore, proxy: CuttingProxy) -> None:
    jobs = await submit(store, *(a_job(payload=f"{number}".encode()) for number in range(5)))
    proxy.cuts = 2

    claims = await store.claim(BUILDS, 3)

    assert proxy.cuts == 0
    assert [claim.job_id for claim in claims] == jobs[:3]
    assert [claim.payload for claim in claims] == [b"0", b"1", b"2"]
    assert [claim.runs for claim in claims] == [1, 1, 1]
    assert (await store.stats())[BUILDS].active == 3
    assert await store.renew(claims[0].job_id, claims[0].fence)


async def test_a_claim_does_not_get_back_what_was_taken_from_it(
    store: RedisJobStore, redis_server: RedisServer, prefix: str, clock: Clock
) -> None:
    """The same nonce after the lease ran out: the jobs are somebody else's, and there are no new ones for it."""
    jobs = await submit(store, a_job(), a_job())
    nonce = "n" * 32
    commands = store._at(BUILDS)
    assert len(await commands.claim.call((nonce, 2))) == 2
    await let_leases_end(store, clock)
    again = await claim_one(store)

    assert again.job_id == jobs[0]
    assert await commands.claim.call((nonce, 2)) == []


async def test_a_finish_is_said_to_be_done(store: RedisJobStore, proxy: CuttingProxy) -> None:
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)
    proxy.cuts = 1

    assert await store.finish(job_id, claim.fence, PASSED)

    assert proxy.cuts == 0
    assert await store.tail(BUILDS) == "3-0"


async def test_a_release_gives_one_run_back(store: RedisJobStore, proxy: CuttingProxy) -> None:
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)
    proxy.cuts = 2

    assert await store.release(job_id, claim.fence)

    assert proxy.cuts == 0
    assert (await store.read(job_id)).runs == 0
    assert (await claim_one(store)).runs == 1


async def test_progress_is_told_once(store: RedisJobStore, proxy: CuttingProxy) -> None:
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)
    proxy.cuts = 1

    assert await store.progress(job_id, claim.fence, 50)

    assert await store.tail(BUILDS) == "3-0"


async def test_tries_are_bounded(store: RedisJobStore, proxy: CuttingProxy) -> None:
    await submit(store, a_job())
    proxy.cuts = 100

    with pytest.raises(StoreUnavailable):
        await store.submit(a_job())

    assert 90 <= proxy.cuts < 100
    proxy.cuts = 0
    await submit(store, a_job())


async def test_an_item_the_server_chokes_on_fails_alone(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    """Two of three jobs of a batch are well; the third one's hash is no hash."""
    first, spoilt, last = a_job(), a_job(), a_job()
    await submit(store, a_job())
    raw.set(f"{prefix}:{{builds.0}}:job:{spoilt.job_id}", "text")

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_outcome(store, job)) for job in (first, spoilt, last)]

    assert [task.result() for task in tasks] == ["queued", "Bug", "queued"]
    assert (await store.stats())[BUILDS].waiting == 3


async def _outcome(store: RedisJobStore, job: NewJob) -> str:
    try:
        await store.submit(job)
    except Bug:
        return "Bug"
    return "queued"
