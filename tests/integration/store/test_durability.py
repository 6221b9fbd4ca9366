"""`durability = fsync`: nobody hears that a job is accepted or over before the disk has it. On a Redis with WAITAOF."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from chef_supervisor.domain.errors import NotDurable
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, a_job, claim_one, submit_together, works_again
from tests.kit.redis_servers import REDIS_8, RedisProcess, running_process

pytestmark = pytest.mark.asyncio


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    with running_process(REDIS_8) as server:
        yield server


@pytest_asyncio.fixture
async def store(server: RedisProcess) -> AsyncIterator[RedisJobStore]:
    store = RedisJobStore(server.config(confirm_on_disk=True))
    yield store
    await store.close()


def sync(server: RedisProcess, when: str) -> None:
    """`no`: the server writes to its file and never learns when that is on the disk."""
    with server.client() as client:
        client.config_set("appendfsync", when)


async def test_what_is_confirmed_was_waited_for(store: RedisJobStore, server: RedisProcess) -> None:
    await works_again(store)

    with server.client() as client:
        info = client.info("commandstats")
    assert isinstance(info, dict)
    assert info["cmdstat_waitaof"]["calls"] == 2  # the submission and the finish


@pytest.mark.parametrize("when", ["always", "everysec"])
async def test_a_disk_that_answers_lets_jobs_through(store: RedisJobStore, server: RedisProcess, when: str) -> None:
    sync(server, when)

    states = await submit_together(store, [a_job() for _ in range(300)])
    await works_again(store)

    assert len(states) == 300
    assert (await store.stats())[BUILDS].waiting == 300


async def test_a_job_that_the_disk_did_not_confirm_is_not_acknowledged_also_when_it_is_sent_again(
    store: RedisJobStore, server: RedisProcess
) -> None:
    """By another process the job is known and nothing is written, which must not look like a disk that has it all."""
    job, other = a_job(), RedisJobStore(server.config(confirm_on_disk=True))
    sync(server, "no")

    for sender in (store, other):
        with pytest.raises(NotDurable):
            await sender.submit(job)
    await other.close()

    sync(server, "always")
    assert (await store.submit(job)).state.job_id == job.job_id
    assert (await store.stats())[BUILDS].waiting == 1


async def test_an_end_that_the_disk_did_not_confirm_can_be_told_again(
    store: RedisJobStore, server: RedisProcess
) -> None:
    sync(server, "always")
    await store.submit(a_job())
    claim = await claim_one(store)
    sync(server, "no")

    with pytest.raises(NotDurable):
        await store.finish(claim.job_id, claim.fence, PASSED)

    sync(server, "always")
    assert await store.finish(claim.job_id, claim.fence, PASSED)
    assert (await store.read(claim.job_id)).status is JobStatus.COMPLETED
    assert (await store.stats())[BUILDS].completed == 1


async def test_a_cancellation_is_confirmed_too(store: RedisJobStore, server: RedisProcess) -> None:
    sync(server, "always")
    job = a_job()
    await store.submit(job)
    sync(server, "no")

    with pytest.raises(NotDurable):
        await store.cancel(job.job_id)

    sync(server, "always")
    assert (await store.cancel(job.job_id)).status is JobStatus.CANCELLED


async def test_a_server_without_an_append_only_file_confirms_nothing(
    store: RedisJobStore, server: RedisProcess
) -> None:
    with server.client() as client:
        client.config_set("appendonly", "no")

    with pytest.raises(NotDurable, match="append-only"):
        await store.submit(a_job())


async def test_what_is_only_looked_at_or_held_waits_for_no_disk(store: RedisJobStore, server: RedisProcess) -> None:
    sync(server, "always")
    await store.submit(a_job())
    sync(server, "no")

    claim = await claim_one(store)

    assert await store.renew(claim.job_id, claim.fence)
    assert await store.progress(claim.job_id, claim.fence, 50)
    assert await store.release(claim.job_id, claim.fence)


async def test_a_full_memory_lets_confirmed_work_end(store: RedisJobStore, server: RedisProcess) -> None:
    sync(server, "always")
    await store.submit(a_job())
    claim = await claim_one(store)
    with server.client() as client:
        client.config_set("maxmemory", 1)

    assert await store.finish(claim.job_id, claim.fence, PASSED)
