"""What may happen to a job between its submission and its end, and who may do it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs
import orjson
import pytest
import redis

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, JobType
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store.answers import JobEvent, JobState
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    CANCELLED,
    FAILED,
    PASSED,
    TIMED_OUT,
    Clock,
    a_job,
    claim_one,
    finish_together,
    let_leases_end,
    submit,
)

pytestmark = pytest.mark.asyncio


async def a_claim(store: RedisJobStore) -> Claim:
    await submit(store, a_job())
    return await claim_one(store)


async def events_of(store: RedisJobStore) -> list[JobEvent]:
    return [event for event in await store.events(BUILDS, "0-0", 0) if isinstance(event, JobEvent)]


def stale(claim: Claim) -> list[Fence]:
    """Another run of the same nonce, another nonce of the same run."""
    return [attrs.evolve(claim.fence, run=claim.fence.run + 1), attrs.evolve(claim.fence, nonce="0" * 32)]


async def test_a_submitted_job_waits(store: RedisJobStore, clock: Clock) -> None:
    job = a_job(priority=7)

    state = (await store.submit(job)).state

    assert state == await store.read(job.job_id)
    assert state == JobState(
        job_id=job.job_id,
        type=JobType.BUILD,
        status=JobStatus.PENDING,
        priority=7,
        progress=0,
        runs=0,
        created_at_ms=clock.ms,
    )


async def test_a_job_submitted_twice_is_one_job(store: RedisJobStore, clock: Clock) -> None:
    job = a_job()
    first = await store.submit(job)
    clock.pass_ms(5)

    assert await store.submit(job) == first
    assert len(await store.claim(BUILDS, 5)) == 1


@pytest.mark.parametrize(
    ("outcome", "progress", "cause"),
    [(PASSED, 100, ""), (FAILED, 40, "exit"), (TIMED_OUT, 40, "timeout"), (CANCELLED, 40, "")],
    ids=["completed", "failed", "timeout", "cancelled"],
)
async def test_an_outcome_is_recorded(
    store: RedisJobStore, clock: Clock, outcome: Outcome, progress: int, cause: str
) -> None:
    claim = await a_claim(store)
    await store.progress(claim.job_id, claim.fence, 40)
    clock.pass_ms(7)

    assert await store.finish(claim.job_id, claim.fence, outcome)

    state = await store.read(claim.job_id)
    assert (state.status, state.progress, state.finished_at_ms) == (outcome.status, progress, clock.ms)
    assert (state.cause or "") == cause
    result = await store.result(claim.job_id)
    assert result is not None
    assert orjson.loads(result)["verdict"] == outcome.result.verdict


async def test_a_job_that_is_not_over_has_no_result(store: RedisJobStore) -> None:
    claim = await a_claim(store)

    assert await store.result(claim.job_id) is None


async def test_a_finish_is_idempotent_by_its_fence(store: RedisJobStore, clock: Clock) -> None:
    claim = await a_claim(store)
    await store.finish(claim.job_id, claim.fence, PASSED)
    first = await store.read(claim.job_id)
    clock.pass_ms(1000)

    assert await store.finish(claim.job_id, claim.fence, FAILED)

    assert await store.read(claim.job_id) == first
    assert (await store.stats())[BUILDS].completed == 1


async def test_there_is_exactly_one_terminal_event(store: RedisJobStore) -> None:
    claim = await a_claim(store)

    await finish_together(store, [claim] * 50)

    assert [event.kind for event in await events_of(store)] == ["job.pending", "job.processing", "job.completed"]


async def test_of_two_that_finish_only_the_holder_of_the_fence_does(store: RedisJobStore, clock: Clock) -> None:
    old = await a_claim(store)
    await let_leases_end(store, clock)
    new = await claim_one(store)

    async with asyncio.TaskGroup() as group:
        ours = group.create_task(store.finish(new.job_id, new.fence, PASSED))
        theirs = group.create_task(store.finish(old.job_id, old.fence, FAILED))

    assert (ours.result(), theirs.result()) == (True, False)
    assert (await store.read(new.job_id)).status is JobStatus.COMPLETED


async def test_a_stale_fence_changes_nothing(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    claim = await a_claim(store)
    before = raw.hgetall(f"{prefix}:{{builds.0}}:job:{claim.job_id}")
    seen = await store.tail(BUILDS)

    for fence in stale(claim):
        assert not await store.renew(claim.job_id, fence)
        assert not await store.progress(claim.job_id, fence, 50)
        assert not await store.finish(claim.job_id, fence, PASSED)
        assert not await store.release(claim.job_id, fence)

    assert raw.hgetall(f"{prefix}:{{builds.0}}:job:{claim.job_id}") == before
    assert await store.tail(BUILDS) == seen
    assert await store.result(claim.job_id) is None
    assert await store.finish(claim.job_id, claim.fence, PASSED)


async def test_a_job_that_is_over_takes_no_more_changes(store: RedisJobStore) -> None:
    claim = await a_claim(store)
    await store.finish(claim.job_id, claim.fence, PASSED)

    assert not await store.renew(claim.job_id, claim.fence)
    assert not await store.progress(claim.job_id, claim.fence, 50)
    assert not await store.release(claim.job_id, claim.fence)
    assert (await store.stats())[BUILDS].active == 0


async def test_a_release_gives_the_run_back(store: RedisJobStore) -> None:
    claim = await a_claim(store)

    assert await store.release(claim.job_id, claim.fence)

    state = await store.read(claim.job_id)
    assert (state.status, state.runs, state.started_at_ms) == (JobStatus.PENDING, 0, None)
    again = await claim_one(store)
    assert (again.runs, again.fence.run) == (1, 2)


async def test_a_release_is_idempotent_by_its_fence(store: RedisJobStore) -> None:
    claim = await a_claim(store)

    assert await store.release(claim.job_id, claim.fence)
    assert await store.release(claim.job_id, claim.fence)

    again = await claim_one(store)
    assert await store.release(claim.job_id, claim.fence)
    assert await store.renew(again.job_id, again.fence)
    assert (await store.read(claim.job_id)).runs == 1


async def test_progress_never_falls_and_ends_below_100(store: RedisJobStore) -> None:
    claim = await a_claim(store)
    seen = []

    for percent in (10, 5, 10, 60, -3, 100, 7):
        assert await store.progress(claim.job_id, claim.fence, percent)
        seen.append((await store.read(claim.job_id)).progress)

    assert seen == [10, 10, 10, 60, 60, 99, 99]
    told = [event.progress for event in await events_of(store) if event.kind == "job.progress"]
    assert told == [10, 60, 99]


async def test_progress_survives_a_new_run(store: RedisJobStore) -> None:
    claim = await a_claim(store)
    await store.progress(claim.job_id, claim.fence, 70)
    await store.release(claim.job_id, claim.fence)
    again = await claim_one(store)

    await store.progress(again.job_id, again.fence, 20)

    assert (await store.read(claim.job_id)).progress == 70


@pytest.mark.parametrize("job_id", ["builds.0_" + "a" * 26, "elsewhere.0_" + "a" * 26, "builds.0_x", "", "*"])
async def test_an_unknown_job_is_said_to_be_unknown(store: RedisJobStore, job_id: str) -> None:
    with pytest.raises(UnknownJob):
        await store.read(JobId(job_id))


async def test_two_stores_on_one_server_work_on_one_queue(make_store: Callable[..., RedisJobStore]) -> None:
    ours, theirs = make_store(), make_store()
    jobs = await submit(ours, a_job(), a_job())

    claims = [await claim_one(theirs), await claim_one(ours)]

    assert [claim.job_id for claim in claims] == jobs
    assert await ours.finish(claims[0].job_id, claims[0].fence, PASSED)
    assert (await theirs.read(jobs[0])).status is JobStatus.COMPLETED
