"""Keys of jobs that something else wrote into: those jobs end or are set aside, and the others go on."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
import redis

from chef_supervisor.domain.errors import CorruptState
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    PASSED,
    Clock,
    a_job,
    let_leases_end,
    member_of,
    run_jobs,
    submit,
    works_again,
)

pytestmark = pytest.mark.asyncio


@pytest.fixture
def base(prefix: str) -> str:
    return f"{prefix}:{{builds.0}}:"


@pytest.mark.parametrize(
    ("field", "value"), [("claims", "many"), ("runs", "x"), ("failures", "?"), ("type", None), ("tenant", None)]
)
async def test_a_job_without_sense_is_set_aside(
    store: RedisJobStore, raw: redis.Redis, base: str, field: str, value: str | None
) -> None:
    bad, good = await submit(store, a_job(), a_job())
    key = f"{base}job:{bad}"
    raw.hdel(key, field) if value is None else raw.hset(key, field, value)

    claims = await store.claim(BUILDS, 2)

    assert [claim.job_id for claim in claims] == [good]
    assert raw.zrange(f"{base}corrupt", 0, -1) == [bad.encode()]
    await works_again(store)


@pytest.mark.parametrize(("field", "value"), [("type", "dance"), ("options", "{"), ("options", "[1]")])
async def test_a_job_that_cannot_be_understood_ends(
    store: RedisJobStore, raw: redis.Redis, base: str, field: str, value: str
) -> None:
    bad, good = await submit(store, a_job(), a_job())
    raw.hset(f"{base}job:{bad}", field, value)

    claims = await store.claim(BUILDS, 2)

    assert [claim.job_id for claim in claims] == [good]
    assert raw.hget(f"{base}job:{bad}", "status") == b"failed"
    await works_again(store)


async def test_a_job_whose_hash_is_something_else_is_set_aside_wherever_it_is(
    store: RedisJobStore, raw: redis.Redis, base: str, clock: Clock
) -> None:
    waiting, running, delayed, good = await submit(store, *(a_job(priority=priority) for priority in (5, 20, 1, 4)))
    [claim] = await store.claim(BUILDS, 1)
    assert claim.job_id == running
    raw.zrem(f"{base}pending", member_of(raw, base, delayed))
    raw.zadd(f"{base}delayed", {delayed: clock.ms})
    for job_id in (waiting, running, delayed):
        raw.set(f"{base}job:{job_id}", "not a hash")

    await let_leases_end(store, clock)
    claims = await store.claim(BUILDS, 3)

    assert [claim.job_id for claim in claims] == [good]
    assert set(raw.zrange(f"{base}corrupt", 0, -1)) == {one.encode() for one in (waiting, running, delayed)}
    with pytest.raises(CorruptState):
        await store.read(waiting)


async def test_a_stranger_in_the_queue_is_set_aside(store: RedisJobStore, raw: redis.Redis, base: str) -> None:
    raw.zadd(f"{base}pending", {"stranger": 0, "000000000000:somebody": 1})
    [good] = await submit(store, a_job())

    claims = await store.claim(BUILDS, 3)

    assert [claim.job_id for claim in claims] == [good]
    assert raw.zcard(f"{base}pending") == 0


async def test_a_job_of_a_newer_version_waits_for_it_and_holds_up_nobody(
    store: RedisJobStore, raw: redis.Redis, base: str, clock: Clock
) -> None:
    newer, good = await submit(store, a_job(priority=20), a_job())
    raw.hset(f"{base}job:{newer}", "schema", 3)
    assert await store.claim(BUILDS, 1) == []
    assert [claim.job_id for claim in await store.claim(BUILDS, 1)] == [good]

    clock.pass_ms(5_000)
    assert (await store.reap(BUILDS)).promoted == (newer,)

    raw.hset(f"{base}job:{newer}", "schema", 2)
    [claim] = await store.claim(BUILDS, 1)
    assert await store.finish(newer, claim.fence, PASSED)
    assert (await store.read(newer)).status is JobStatus.COMPLETED


@pytest.mark.parametrize("field", ["order", "score"])
async def test_a_run_that_could_not_be_put_back_is_set_aside(
    store: RedisJobStore, raw: redis.Redis, base: str, clock: Clock, field: str
) -> None:
    bad, good = await submit(store, a_job(), a_job())
    await store.claim(BUILDS, 2)
    raw.hdel(f"{base}job:{bad}", field)

    reaped = await let_leases_end(store, clock)

    assert reaped.requeued == (good,)
    assert raw.zrange(f"{base}corrupt", 0, -1) == [bad.encode()]
    await works_again(store)


@pytest.mark.parametrize("field", ["priority", "tenant"])
async def test_a_delayed_job_that_could_get_no_turn_is_set_aside(
    store: RedisJobStore, raw: redis.Redis, base: str, clock: Clock, field: str
) -> None:
    bad, good = await submit(store, *(attrs.evolve(a_job(), delay_ms=delay_ms) for delay_ms in (1_000, 1_001)))
    raw.hdel(f"{base}job:{bad}", field)
    clock.pass_ms(1_001)

    assert (await store.reap(BUILDS)).promoted == (good,)
    assert raw.zrange(f"{base}corrupt", 0, -1) == [bad.encode()]


async def test_what_took_the_place_of_the_last_job_keeps_no_newer_one_out(
    store: RedisJobStore, raw: redis.Redis, base: str
) -> None:
    bad, newest, after = (attrs.evolve(a_job(), supersedes=True) for _ in range(3))
    await store.submit(bad)
    raw.delete(f"{base}job:{bad.job_id}")
    raw.set(f"{base}job:{bad.job_id}", "no hash")

    assert (await store.submit(newest)).superseded is None
    assert (await store.submit(after)).superseded == newest.job_id


async def test_a_job_that_is_over_and_gone_is_forgotten(
    make_store: Callable[..., RedisJobStore], raw: redis.Redis, base: str, clock: Clock
) -> None:
    store = make_store(keep_jobs=1)
    [gone] = await run_jobs(store, [a_job()])
    raw.delete(f"{base}job:{gone}")
    clock.pass_ms(1)

    kept = await run_jobs(store, [a_job()])

    assert raw.zrange(f"{base}completed", 0, -1) == [job_id.encode() for job_id in kept]
