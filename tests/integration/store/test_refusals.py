"""Redis answers, and refuses: it forgot, is full, busy or a replica, or takes us for somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from chef_supervisor.domain.errors import Bug, StoreUnavailable
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, a_job, submit, works_again
from tests.kit.redis_servers import RedisProcess

pytestmark = pytest.mark.asyncio


async def test_a_blocking_command_that_is_refused_is_a_mistake_of_ours(own_redis: RedisProcess) -> None:
    """Somebody has put a text where the wake key is."""
    store = RedisJobStore(own_redis.config())
    with own_redis.client() as client:
        client.set("chef:{builds.0}:wake", "text")
    with pytest.raises(Bug):
        await store.wait_for_work(BUILDS, 1)
    await store.close()


async def test_scripts_that_were_flushed_are_loaded_again(store: RedisJobStore, raw: redis.Redis) -> None:
    await works_again(store)

    raw.script_flush()

    await works_again(store)


@contextmanager
def full_memory(raw: redis.Redis) -> Iterator[None]:
    raw.config_set("maxmemory", 1)
    try:
        yield
    finally:
        raw.config_set("maxmemory", 0)


async def test_a_full_memory_refuses_jobs_and_lets_work_end(store: RedisJobStore, raw: redis.Redis) -> None:
    jobs = await submit(store, *(a_job() for _ in range(3)))
    done, put_back = await store.claim(BUILDS, 2)

    with full_memory(raw):
        for refused in (store.submit(a_job()), store.check()):
            with pytest.raises(StoreUnavailable, match="maxmemory"):
                await refused
        assert await store.renew(done.job_id, done.fence)
        assert await store.progress(done.job_id, done.fence, 50)
        assert await store.finish(done.job_id, done.fence, PASSED)
        assert await store.release(put_back.job_id, put_back.fence)
        assert [claim.job_id for claim in await store.claim(BUILDS, 5)] == jobs[1:]
        assert (await store.reap(BUILDS)).requeued == ()

    await works_again(store)


async def test_a_replica_is_unavailable(own_redis: RedisProcess, own_store: RedisJobStore) -> None:
    """A primary that was demoted by a failover: it still answers, and refuses to write."""
    await works_again(own_store)
    with own_redis.client() as client:
        client.replicaof("127.0.0.1", "1")
        for call in (own_store.submit(a_job()), own_store.check()):
            with pytest.raises(StoreUnavailable, match=r"(?i)read.?only"):
                await call
        client.replicaof("NO", "ONE")

    await works_again(own_store)


async def test_a_script_that_blocks_the_server_is_unavailable(own_redis: RedisProcess) -> None:
    """BUSY: somebody else's script runs for ever."""
    store = RedisJobStore(own_redis.config(command_timeout_s=5.0))
    await works_again(store)
    with own_redis.client() as client, own_redis.client() as killer:
        client.config_set("lua-time-limit", 1)
        async with asyncio.TaskGroup() as group:
            endless = group.create_task(asyncio.to_thread(_run_endless, client))
            with pytest.raises(StoreUnavailable, match=r"(?i)busy"):
                await _check_while(store, endless)
            killer.script_kill()
    await works_again(store)
    await store.close()


async def test_a_wrong_password_is_unavailable(own_redis: RedisProcess) -> None:
    with own_redis.client() as client:
        client.config_set("requirepass", "secret")
        for password in ("wrong", None):
            store = RedisJobStore(own_redis.config(password=password))
            with pytest.raises(StoreUnavailable):
                await store.check()
            await store.close()
        store = RedisJobStore(own_redis.config(password="secret"))
        await works_again(store)
        await store.close()


async def _check_while(store: RedisJobStore, task: asyncio.Task[None]) -> None:
    while not task.done():
        await store.check()


def _run_endless(client: redis.Redis) -> None:
    try:
        client.eval("while true do end", 0)
    except redis.ResponseError:
        return
