"""Runs that are to be repeated: who is to blame, how long they wait, and when it was one too many."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
import redis

from chef_supervisor.domain.job import Claim, JobStatus, RunId, new_job_id
from chef_supervisor.store.answers import Blame, Postponed
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, LINT, PASSED, Clock, a_job, claim_one, run_jobs, submit

pytestmark = pytest.mark.asyncio


async def postpone(
    store: RedisJobStore, claim: Claim, blame: Blame, reason: str = "disk full", delay_ms: int = 0
) -> Postponed:
    return await store.postpone(claim.job_id, claim.fence, blame, reason, delay_ms)


async def test_the_projects_own_failure_waits_and_counts(store: RedisJobStore, clock: Clock) -> None:
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)

    assert await postpone(store, claim, Blame.PROJECT, delay_ms=1_500) is Postponed.WAITING

    state = await store.read(job_id)
    assert (state.status, state.runs, state.failures) == (JobStatus.PENDING, 1, 1)
    assert state.due_at_ms == clock.ms + 1_500
    assert await store.claim(BUILDS, 1) == []
    clock.pass_ms(1_500)
    await store.reap(BUILDS)
    again = await claim_one(store)
    assert (again.runs, again.failures, again.run.number) == (2, 1, 2)


async def test_without_a_delay_it_waits_in_its_old_place(store: RedisJobStore) -> None:
    first, second = await submit(store, a_job(), a_job())

    await postpone(store, await claim_one(store), Blame.INFRASTRUCTURE)

    assert [claim.job_id for claim in await store.claim(BUILDS, 2)] == [first, second]


async def test_a_replay_changes_nothing_more(store: RedisJobStore) -> None:
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)
    for _ in range(3):
        assert await postpone(store, claim, Blame.PROJECT) is Postponed.WAITING

    assert (await store.read(job_id)).failures == 1


async def test_a_stale_fence_postpones_nothing(store: RedisJobStore) -> None:
    [job_id] = await submit(store, a_job())
    claim = await claim_one(store)
    await store.finish(job_id, claim.fence, PASSED)

    assert await postpone(store, claim, Blame.PROJECT) is Postponed.FENCED
    assert (await store.read(job_id)).status is JobStatus.COMPLETED


async def test_one_ruined_run_too_many_is_told_as_a_story(store: RedisJobStore) -> None:
    [job_id] = await submit(store, a_job())
    told = ["disk full", "two\nlines, and a \x00 \ud800 surrogate", "x" * 1_000, '"quoted" \\ @STORY@ %1 %']
    for reason in told[:3]:
        assert await postpone(store, await claim_one(store), Blame.INFRASTRUCTURE, reason) is Postponed.WAITING
    last = await claim_one(store)

    assert await postpone(store, last, Blame.INFRASTRUCTURE, told[3]) is Postponed.POISONED
    assert await postpone(store, last, Blame.INFRASTRUCTURE, told[3]) is Postponed.POISONED

    state = await store.read(job_id)
    assert (state.status, state.cause, state.runs) == (JobStatus.FAILED, "poisoned", 4)
    result = await store.result(job_id)
    assert result is not None
    lines = orjson.loads(result)["summary"].splitlines()
    assert lines[0].startswith("failed: Too many runs")
    assert [line.split(",")[0] for line in lines[2:]] == ["run 1", "run 2", "run 3", "run 4"]
    assert lines[2].endswith(": disk full")
    assert lines[4].endswith("xxx...")
    assert lines[5].endswith('"quoted" \\ @STORY@ %1 %')


async def test_failures_of_the_project_do_not_poison(store: RedisJobStore) -> None:
    [job_id] = await submit(store, a_job())
    for _ in range(9):
        assert await postpone(store, await claim_one(store), Blame.PROJECT) is Postponed.WAITING

    assert (await store.read(job_id)).failures == 9


async def test_who_comes_back_takes_its_own_jobs_at_once(make_store: Callable[..., RedisJobStore]) -> None:
    ours, others = make_store(instance="one"), make_store(instance="two")
    await submit(ours, a_job(), a_job())
    mine, theirs = await claim_one(ours), await claim_one(others)

    assert (await make_store(instance="one").take_back(BUILDS)).requeued == (mine.job_id,)

    assert not await ours.renew(mine.job_id, mine.fence)
    assert await others.renew(theirs.job_id, theirs.fence)
    assert (await claim_one(others)).runs == 2


async def test_a_job_that_kills_its_supervisor_each_time_is_poisoned(
    make_store: Callable[..., RedisJobStore], clock: Clock
) -> None:
    store = make_store(instance="one")
    [job_id] = await submit(store, a_job())
    for _ in range(3):
        await claim_one(store)
        await store.take_back(BUILDS)
        clock.pass_ms(2_000)
        await store.reap(BUILDS)
    await claim_one(store)

    assert (await store.take_back(BUILDS)).poisoned == (job_id,)
    result = await store.result(job_id)
    assert result is not None
    assert "on supervisor one: the supervisor died" in orjson.loads(result)["summary"]


async def test_without_an_instance_nothing_is_taken_back(store: RedisJobStore) -> None:
    await submit(store, a_job())
    claim = await claim_one(store)

    assert (await store.take_back(BUILDS)).requeued == ()
    assert await store.renew(claim.job_id, claim.fence)


async def test_runs_that_hold_their_job_are_owned(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    await submit(store, a_job(), a_job(), a_job())
    alive, done, broken = await store.claim(BUILDS, 3)
    await store.finish(done.job_id, done.fence, PASSED)
    [other] = await run_jobs(store, [a_job()])
    raw.set(f"{prefix}:{{builds.0}}:job:{broken.job_id}", "not a hash")
    earlier = RunId(alive.job_id, alive.run.number - 1)
    unknown = RunId(new_job_id(LINT, b"0" * 16), 1)

    owned = await store.owned([alive.run, earlier, done.run, broken.run, RunId(other, 1), unknown])

    assert owned == {alive.run}
    assert await store.owned([]) == frozenset()


@pytest.mark.parametrize(("ago_ms", "owns"), [(0, True), (4_000, True), (6_000, False)])
async def test_a_run_that_ended_a_moment_ago_may_still_be_leaving_its_box(
    store: RedisJobStore, raw: redis.Redis, prefix: str, ago_ms: int, *, owns: bool
) -> None:
    await submit(store, a_job())
    claim = await claim_one(store)
    await store.finish(claim.job_id, claim.fence, PASSED)
    now_s, now_us = raw.time()
    raw.hset(f"{prefix}:{{builds.0}}:job:{claim.job_id}", "finished", now_s * 1000 + now_us // 1000 - ago_ms)

    assert (claim.run in await store.owned([claim.run])) is owns


async def test_the_identity_of_the_data_is_made_once(make_store: Callable[..., RedisJobStore]) -> None:
    first, second = make_store(), make_store()

    assert await first.identity() == await second.identity() == await first.identity()
    assert await make_store(key_prefix="another").identity() != await first.identity()


async def test_runs_that_die_with_their_supervisors_are_repeated_ever_later_but_within_a_minute(
    make_store: Callable[..., RedisJobStore], clock: Clock
) -> None:
    store = make_store(instance="one", max_ruined_runs=20)
    [job_id] = await submit(store, a_job())
    waits = []
    for _ in range(9):
        await claim_one(store)
        await store.take_back(BUILDS)
        due_at_ms = (await store.read(job_id)).due_at_ms or clock.ms
        waits.append(due_at_ms - clock.ms)
        clock.pass_ms(waits[-1])
        await store.reap(BUILDS)

    assert waits == [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
