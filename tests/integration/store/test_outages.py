"""Redis hangs, dies, forgets, is full or refuses: an answer comes in time, and all is well again by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio
import redis

from chef_supervisor.domain.errors import Bug, StoreUnavailable
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    PASSED,
    a_job,
    claim_one,
    many_tasks,
    submit,
    submit_together,
)
from tests.kit.redis_servers import RedisProcess

pytestmark = pytest.mark.asyncio
TIMEOUT_S = 0.25
# The machine may be busy with other things; what is looked at is that it does not hang.
IN_TIME_S = 5.0
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


@pytest_asyncio.fixture
async def own_store(own_redis: RedisProcess) -> AsyncIterator[RedisJobStore]:
    """With the server's clock and little patience."""
    store = RedisJobStore(own_redis.config(command_timeout_s=TIMEOUT_S))
    yield store
    own_redis.resume()
    await store.close()


async def all_are_unavailable(store: RedisJobStore) -> None:
    for name, call in CALLS.items():
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await call(store)  # type: ignore[misc]
        assert time.monotonic() - began < IN_TIME_S, name


async def works_again(store: RedisJobStore) -> None:
    """Within a few tries: connections of before are found dead one by one."""
    await store.check()
    [job_id] = await submit(store, a_job(priority=20))
    claim = await claim_one(store)
    assert claim.job_id == job_id
    assert await store.finish(job_id, claim.fence, PASSED)
    assert (await store.read(job_id)).status is JobStatus.COMPLETED


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

    state = await (own_store.read(job.job_id) if first == "read" else own_store.submit(job))
    assert state.job_id == job.job_id


async def test_a_blocking_command_that_is_refused_is_a_mistake_of_ours(own_redis: RedisProcess) -> None:
    """Somebody has put a text where the wake key is."""
    store = RedisJobStore(own_redis.config())
    with own_redis.client() as client:
        client.set("chef:{builds.0}:wake", "text")
    with pytest.raises(Bug):
        await store.wait_for_work(BUILDS, 1)
    await store.close()


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


async def test_a_storm_of_cancelled_callers_leaves_the_others_their_replies(store: RedisJobStore) -> None:
    jobs = [a_job(payload=f"{number}".encode()) for number in range(500)]
    with many_tasks():
        kept = [asyncio.ensure_future(store.submit(job)) for job in jobs]
        doomed = [asyncio.ensure_future(store.submit(a_job("doomed", priority=1))) for _ in range(1000)]
        reads = [asyncio.ensure_future(store.read((await kept[0]).job_id)) for _ in range(200)]
        for number, task in enumerate(doomed):
            task.cancel()
            if number % 100 == 0:  # some before they were sent, some after, some when the reply is there
                await asyncio.sleep(0)
        ends = await asyncio.gather(*kept, *reads, *doomed, return_exceptions=True)

    states, shown, rest = ends[:500], ends[500:700], ends[700:]
    assert [state.job_id for state in states if not isinstance(state, BaseException)] == [job.job_id for job in jobs]
    assert all(state == shown[0] for state in shown)
    assert all(isinstance(end, asyncio.CancelledError) or end.status is JobStatus.PENDING for end in rest)  # type: ignore[union-attr]
    claims: list[Claim] = []
    while taken := await store.claim(BUILDS, 250):
        claims += taken
    payloads = {claim.job_id: claim.payload for claim in claims}
    assert all(payloads[job.job_id] == job.payload for job in jobs)


async def test_a_cancelled_claim_puts_its_jobs_back(store: RedisJobStore) -> None:
    """Whether its flight had left or even landed: no job waits for a lease to run out, and no run is burnt."""
    jobs = await submit(store, *(a_job() for _ in range(20)))
    for turns in range(12):
        claim = asyncio.ensure_future(store.claim(BUILDS, 20))
        for _ in range(turns):
            await asyncio.sleep(0)
        claim.cancel()
        [end] = await asyncio.gather(claim, return_exceptions=True)
        if not isinstance(end, asyncio.CancelledError):
            break
        await everything_landed(store)

        claims = await store.claim(BUILDS, 20)
        assert [claim.job_id for claim in claims] == jobs
        assert {claim.runs for claim in claims} == {1}
        for taken in claims:
            await store.release(taken.job_id, taken.fence)


async def test_closing_waits_for_what_is_under_way(make_store: Callable[..., RedisJobStore]) -> None:
    closing, other = make_store(), make_store()
    job = a_job()
    submitting = asyncio.ensure_future(closing.submit(job))
    await asyncio.sleep(0)

    await closing.close()

    assert (await submitting).job_id == job.job_id
    assert (await other.read(job.job_id)).status is JobStatus.PENDING


async def test_closing_does_not_wait_for_a_server_that_hangs(own_redis: RedisProcess, own_store: RedisJobStore) -> None:
    await works_again(own_store)
    own_redis.pause()
    submitting = asyncio.ensure_future(own_store.submit(a_job()))
    await asyncio.sleep(0)

    began = time.monotonic()
    await own_store.close()

    assert time.monotonic() - began < IN_TIME_S
    with pytest.raises(StoreUnavailable):
        await submitting


async def everything_landed(store: RedisJobStore) -> None:
    for batcher in store._at(BUILDS).batchers():
        await batcher.close()


async def two_blocked_clients(server: RedisProcess) -> None:
    with server.client() as client:
        while True:
            info = client.info("clients")
            assert isinstance(info, dict)
            if info["blocked_clients"] == 2:
                return
            await asyncio.sleep(0)


async def _check_while(store: RedisJobStore, task: asyncio.Task[None]) -> None:
    while not task.done():
        await store.check()


def _run_endless(client: redis.Redis) -> None:
    try:
        client.eval("while true do end", 0)
    except redis.ResponseError:
        return
