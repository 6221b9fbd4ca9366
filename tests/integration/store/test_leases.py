"""A lease that ran out is its holder's until it is reaped; what a reap puts back, poisons and promotes."""

from __future__ import annotations

import orjson
import pytest
import redis

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    LEASE_MS,
    PASSED,
    Clock,
    a_job,
    claim_one,
    let_leases_end,
    member_of,
    submit,
    submit_together,
)

pytestmark = pytest.mark.asyncio


async def test_an_expired_lease_is_its_holders_until_it_is_reaped(store: RedisJobStore, clock: Clock) -> None:
    await submit(store, a_job(), a_job())
    slow, late = await store.claim(BUILDS, 2)
    clock.pass_ms(2 * LEASE_MS)

    assert await store.finish(slow.job_id, slow.fence, PASSED)
    assert await store.renew(late.job_id, late.fence)
    assert (await store.reap(BUILDS)).requeued == ()


async def test_a_renewed_lease_is_not_reaped(store: RedisJobStore, clock: Clock) -> None:
    await submit(store, a_job())
    claim = await claim_one(store)
    for _ in range(5):
        clock.pass_ms(LEASE_MS - 1)
        assert await store.renew(claim.job_id, claim.fence)

    assert (await store.reap(BUILDS)).requeued == ()


async def test_reaped_jobs_wait_in_their_old_places(store: RedisJobStore, clock: Clock) -> None:
    jobs = await submit(store, a_job("a"), a_job("b"), a_job("a"), a_job("c", priority=20))
    claims = await store.claim(BUILDS, 3)

    reaped = await let_leases_end(store, clock)

    assert sorted(reaped.requeued) == sorted(claim.job_id for claim in claims)
    again = await store.claim(BUILDS, 4)
    assert [claim.job_id for claim in again] == [jobs[3], *jobs[:3]]
    assert [claim.runs for claim in again] == [2, 2, 2, 1]
    assert not await store.renew(claims[0].job_id, claims[0].fence)


async def test_a_job_that_loses_every_run_is_poisoned(store: RedisJobStore, clock: Clock) -> None:
    """Four runs: the one it is due and the three that infrastructure may ruin."""
    [job_id] = await submit(store, a_job())
    for run in (1, 2, 3):
        assert (await claim_one(store)).runs == run
        assert (await let_leases_end(store, clock)).requeued == (job_id,)
        # The second time it waits for a second, then for two.
        await let_leases_end(store, clock)
    last = await claim_one(store)

    assert (await let_leases_end(store, clock)).poisoned == (job_id,)

    state = await store.read(job_id)
    assert (state.status, state.cause, state.runs) == (JobStatus.FAILED, "poisoned", 4)
    result = await store.result(job_id)
    assert result is not None
    assert orjson.loads(result)["cause"] == "poisoned"
    story = orjson.loads(result)["summary"].splitlines()
    assert [line.partition(",")[0] for line in story[2:]] == ["run 1", "run 2", "run 3", "run 4"]
    assert all("its lease ran out" in line for line in story[2:])
    assert not await store.finish(job_id, last.fence, PASSED)
    assert await store.claim(BUILDS, 1) == []


async def test_released_runs_do_not_poison(store: RedisJobStore, clock: Clock) -> None:
    await submit(store, a_job())
    for _ in range(6):
        claim = await claim_one(store)
        await store.release(claim.job_id, claim.fence)

    assert (await claim_one(store)).runs == 1


async def test_delayed_jobs_that_are_due_wait_again(
    store: RedisJobStore, raw: redis.Redis, prefix: str, clock: Clock
) -> None:
    """As a delayed submission leaves them: with their order, and no score yet."""
    keys = f"{prefix}:{{builds.0}}"
    due, later = await submit(store, a_job(), a_job())
    for job_id, at in ((due, clock.ms), (later, clock.ms + 1)):
        raw.zrem(f"{keys}:pending", member_of(raw, f"{keys}:", job_id))
        raw.zadd(f"{keys}:delayed", {job_id: at})

    assert (await store.reap(BUILDS)).promoted == (due,)

    stats = (await store.stats())[BUILDS]
    assert (stats.waiting, stats.delayed) == (1, 1)
    assert (await claim_one(store)).job_id == due


async def test_sixteen_thousand_expired_leases_are_reaped_in_bounded_passes(store: RedisJobStore, clock: Clock) -> None:
    await submit_together(store, [a_job() for _ in range(16_000)])
    while await store.claim(BUILDS, 256):
        pass
    for _ in range(4):
        await store.reap(BUILDS)
        clock.pass_ms(LEASE_MS // 4)

    sizes = []
    while requeued := (await store.reap(BUILDS, 1_000_000)).requeued:
        sizes.append(len(requeued))

    assert sum(sizes) == 16_000
    assert max(sizes) <= 256
    assert (await store.stats())[BUILDS].waiting == 16_000


async def test_where_nobody_reaped_for_a_while_nothing_is_taken_for_one_lease(
    store: RedisJobStore, clock: Clock
) -> None:
    await submit(store, a_job())
    claim = await claim_one(store)
    await store.reap(BUILDS)
    clock.pass_ms(5 * LEASE_MS)
    for _ in range(4):
        assert (await store.reap(BUILDS)).requeued == ()
        clock.pass_ms(LEASE_MS // 5)

    assert await store.renew(claim.job_id, claim.fence)
    assert (await let_leases_end(store, clock)).requeued == (claim.job_id,)


@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000, 31_536_000_000, -31_536_000_000])
async def test_a_clock_that_jumps_takes_no_job_away_and_keeps_none_from_being_reaped(
    store: RedisJobStore, clock: Clock, jump_ms: int
) -> None:
    await submit(store, a_job(), a_job())
    alive, dead = await store.claim(BUILDS, 2)
    await store.reap(BUILDS)
    clock.pass_ms(jump_ms)

    assert (await store.reap(BUILDS)).requeued == ()
    for _ in range(3):
        clock.pass_ms(LEASE_MS // 3)
        assert await store.renew(alive.job_id, alive.fence)
        assert alive.job_id not in (await store.reap(BUILDS)).requeued
    assert dead.job_id in (await let_leases_end(store, clock)).requeued
