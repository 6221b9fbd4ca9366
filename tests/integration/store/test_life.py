"""What may happen to a job between its submission and its end, and who may do it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import attrs
import orjson
import pytest
import redis

from chef_supervisor.domain.errors import ChefError, StoreUnavailable, UnknownJob
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, JobType
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store.connect import Command, Reply
from chef_supervisor.store.evaluate import Item
from chef_supervisor.store.job_store import JobEvent, JobState
from chef_supervisor.store.plain import PlainCommands
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    CANCELLED,
    FAILED,
    LEASE_MS,
    PASSED,
    TIMED_OUT,
    Clock,
    a_job,
    claim_one,
    finish_together,
    submit,
)

pytestmark = pytest.mark.asyncio
LARGE = random.Random(1).randbytes(300_000)


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

    state = await store.submit(job)

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


@pytest.mark.parametrize("payload", [b"", b"{}", b"text " * 1000, LARGE], ids=["empty", "tiny", "deflated", "large"])
async def test_a_claim_carries_what_was_submitted(store: RedisJobStore, clock: Clock, payload: bytes) -> None:
    job = a_job("tenant é", payload=payload)
    await store.submit(job)

    claim = await claim_one(store)

    assert (claim.job_id, claim.type, claim.tenant, claim.payload) == (job.job_id, job.type, job.tenant, payload)
    assert (claim.runs, claim.fence.run, claim.created_at_ms) == (1, 1, clock.ms)
    state = await store.read(job.job_id)
    assert (state.status, state.runs, state.started_at_ms) == (JobStatus.PROCESSING, 1, clock.ms)


async def test_a_large_payload_stays_only_with_its_job(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    job = a_job(payload=LARGE)

    await store.submit(job)
    await store.submit(job)

    assert raw.ttl(f"{prefix}:{{builds.0}}:payload:{job.job_id}") == -1
    assert not raw.hexists(f"{prefix}:{{builds.0}}:job:{job.job_id}", "payload")


async def test_a_job_whose_payload_is_lost_ends_and_holds_up_nobody(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    lost, broken, good = await submit(store, a_job(payload=LARGE), a_job(), a_job())
    raw.delete(f"{prefix}:{{builds.0}}:payload:{lost}")
    raw.hset(f"{prefix}:{{builds.0}}:job:{broken}", "payload", b"\x01no deflate")

    claims = await store.claim(BUILDS, 5)

    assert [claim.job_id for claim in claims] == [good]
    for job_id in (lost, broken):
        state = await store.read(job_id)
        assert (state.status, state.cause) == (JobStatus.FAILED, "infrastructure")


async def test_a_payload_that_is_gone_before_its_job_is_queued_is_sent_again(
    store: RedisJobStore, raw: redis.Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; a store that loses it again is in no state to take jobs."""
    job, sent = a_job(payload=LARGE), 0
    submit_batch = store._at(BUILDS).submit.send

    async def lose_first(items: Sequence[Item]) -> Sequence[Reply | ChefError]:
        nonlocal sent
        sent += 1
        if sent in (1, 3, 4):
            raw.delete(f"{prefix}:{{builds.0}}:payload:{items[0][0]!s}")
        return await submit_batch(items)

    monkeypatch.setattr(store._at(BUILDS).submit, "send", lose_first)

    await store.submit(job)
    assert (await claim_one(store)).payload == LARGE
    with pytest.raises(StoreUnavailable):
        await store.submit(a_job(payload=LARGE))


async def test_a_claim_whose_payloads_cannot_be_had_puts_its_jobs_back(
    store: RedisJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = await submit(store, a_job(), a_job(payload=LARGE))

    async def fail(*_commands: Command) -> list[Reply]:
        raise StoreUnavailable("made to fail")

    with monkeypatch.context() as broken:
        broken.setattr(PlainCommands, "run", fail)
        with pytest.raises(StoreUnavailable):
            await store.claim(BUILDS, 2)
        await store._at(BUILDS).release.close()

    again = await store.claim(BUILDS, 2)
    assert [claim.job_id for claim in again] == [small, large]
    assert [claim.runs for claim in again] == [1, 1]


async def test_a_job_whose_hash_is_gone_holds_up_nobody(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    gone, good = await submit(store, a_job(), a_job())
    raw.delete(f"{prefix}:{{builds.0}}:job:{gone}")

    assert [claim.job_id for claim in await store.claim(BUILDS, 5)] == [good]
    assert (await store.stats())[BUILDS].waiting == 0


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
    clock.pass_ms(LEASE_MS + 1)
    await store.reap(BUILDS)
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
