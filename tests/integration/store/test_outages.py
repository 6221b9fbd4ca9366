"""Redis hangs or dies: an answer comes in time, and all is well again by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Fence, JobId, JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    IN_TIME_S,
    PASSED,
    a_job,
    claim_one,
    submit,
    submit_together,
    works_again,
)
from tests.kit.redis_servers import RedisProcess

pytestmark = pytest.mark.asyncio
JOB = JobId("builds.0_" + "a" * 26)
FENCE = Fence(1, "nonce")
CALLS: dict[str, Callable[[RedisJobStore], object]] = {
    "submit": lambda store: store.submit(a_job()),
    "submit-large": lambda store: store.submit(a_job(payload=bytes(range(256)) * 4000)),
    "claim": lambda store: store.claim(BUILDS, 1),
    "renew": lambda store: store.renew(JOB, FENCE),
    "progress": lambda store: store.progress(JOB, FENCE, 1),
    "finish": lambda store: store.finish(JOB, FENCE, PASSED),
    "release": lambda store: store.release(JOB, FENCE),
    "read": lambda store: store.read(JOB),
    "result": lambda store: store.result(JOB),
    "stats": lambda store: store.stats(),
    "reap": lambda store: store.reap(BUILDS),
    "tail": lambda store: store.tail(BUILDS),
    "check": lambda store: store.check(),
    "wait_for_work": lambda store: store.wait_for_work(BUILDS, 0.05),
    "events": lambda store: store.events(BUILDS, "0-0", 0.05),
}


async def all_are_unavailable(store: RedisJobStore) -> None:
    for name, call in CALLS.items():
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await call(store)  # type: ignore[misc]
        assert time.monotonic() - began < IN_TIME_S, name


async def test_a_server_that_hangs_is_unavailable_and_then_not(
    own_redis: RedisProcess, own_store: RedisJobStore
) -> None:
    await works_again(own_store)
    own_redis.pause()

    await all_are_unavailable(own_store)

    own_redis.resume()
    await works_again(own_store)


async def test_a_server_that_died_is_unavailable_and_its_next_start_is_found(
    own_redis: RedisProcess, own_store: RedisJobStore
) -> None:
    """What was acknowledged is still there: AOF, everysec, and the kernel has what was written."""
    await works_again(own_store)
    [waiting] = await submit(own_store, a_job())
    own_redis.kill()

    await all_are_unavailable(own_store)

    own_redis.start()
    await works_again(own_store)
    assert (await claim_one(own_store)).job_id == waiting


async def test_a_restart_between_two_calls_is_not_noticed(own_redis: RedisProcess, own_store: RedisJobStore) -> None:
    await works_again(own_store)
    await submit_together(own_store, [a_job() for _ in range(20)])

    own_redis.kill()
    own_redis.start()

    assert len(await own_store.claim(BUILDS, 20)) == 20
    await works_again(own_store)


@pytest.mark.parametrize("first", ["read", "submit"])
async def test_however_many_connections_a_restart_broke_the_first_call_is_answered(
    own_redis: RedisProcess, own_store: RedisJobStore, first: str
) -> None:
    job = a_job()
    await own_store.submit(job)
    async with asyncio.TaskGroup() as group:
        for queue in own_store._config.queues:
            for _ in range(2):
                group.create_task(own_store.reap(queue))
                group.create_task(own_store.claim(queue, 0 if queue == BUILDS else 1))
    assert len(own_store._lines._idle) >= 5

    own_redis.kill()
    own_redis.start()

    state = await own_store.read(job.job_id) if first == "read" else (await own_store.submit(job)).state
    assert state.job_id == job.job_id


async def test_blocked_readers_hear_of_a_death(own_redis: RedisProcess, own_store: RedisJobStore) -> None:
    async def blocked(call: Callable[[], object]) -> bool:
        try:
            await call()  # type: ignore[misc]
        except StoreUnavailable:
            return True
        return False

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(blocked(lambda: own_store.events(BUILDS, "0-0", 60)))
        waiting = group.create_task(blocked(lambda: own_store.wait_for_work(BUILDS, 60)))
        await two_blocked_clients(own_redis)
        own_redis.kill()

    assert reading.result()
    assert waiting.result()


@pytest.mark.parametrize("abandoned", ["claim", "reap"])
async def test_what_nobody_waits_for_any_more_is_not_done_when_the_server_goes_on(
    own_redis: RedisProcess, own_store: RedisJobStore, abandoned: str
) -> None:
    """It lies in the socket of a server that hangs, and its sender gave up long before that goes on."""
    [job_id] = await submit(own_store, a_job())
    held = await claim_one(own_store)
    [waiting] = await submit(own_store, a_job())
    await own_store.reap(BUILDS)
    with own_redis.client() as client:  # the lease ran out while the server was away
        client.zadd("chef:{builds.0}:active", {job_id: 1})
    own_redis.pause()
    # Only the first finds an open connection to leave its command in; the second passes the time.
    for call in (CALLS[abandoned], CALLS["check"]):
        with pytest.raises(StoreUnavailable):
            await call(own_store)  # type: ignore[misc]

    own_redis.resume()
    await own_store.check()

    assert await own_store.renew(job_id, held.fence)
    state = await own_store.read(waiting)
    assert (state.status, state.runs) == (JobStatus.PENDING, 0)
    assert (await own_store.reap(BUILDS)).requeued == ()
    assert (await claim_one(own_store)).job_id == waiting


async def two_blocked_clients(server: RedisProcess) -> None:
    with server.client() as client:
        while True:
            info = client.info("clients")
            assert isinstance(info, dict)
            if info["blocked_clients"] == 2:
                return
            await asyncio.sleep(0)
