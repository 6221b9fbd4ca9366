"""What a submission may ask for beyond being queued: to be one, to take another's place, to wait, to be tried again."""

from __future__ import annotations

import asyncio
import secrets

import attrs
import pytest
import redis

from chef_supervisor.domain.errors import KeyReused, QueueFull, UnknownJob
from chef_supervisor.domain.job import Idempotency, JobId, JobOptions, JobStatus, NewJob, Tenant, new_job_id
from chef_supervisor.domain.retry import Backoff, BackoffKind
from chef_supervisor.store.answers import Order
from chef_supervisor.store.redis_store import INLINE_BYTES, RedisJobStore
from tests.integration.store.making import BUILDS, LINT, PASSED, Clock, a_job, claim_one, run_jobs, submit

pytestmark = pytest.mark.asyncio
OPTIONS = JobOptions(
    attempts=3, backoff=Backoff(kind=BackoffKind.FIXED, delay_ms=5), timeout_ms=60_000, step_timeout_ms=1_000
)


def keyed(key: str = "k", body: str = "b" * 64, tenant: str = "a", payload: bytes = b"{}") -> NewJob:
    return attrs.evolve(a_job(tenant, payload=payload), idempotency=Idempotency(key=key, body_sha256=body))


def newest(tenant: str = "a") -> NewJob:
    return attrs.evolve(a_job(tenant), supersedes=True)


def another_id(job: NewJob) -> NewJob:
    return attrs.evolve(job, job_id=new_job_id(BUILDS, secrets.token_bytes(16)))


async def test_a_key_stands_for_one_job_however_often_it_comes(store: RedisJobStore, clock: Clock) -> None:
    first = await store.submit(keyed())
    clock.pass_ms(1_000)

    async with asyncio.TaskGroup() as group:
        again = [group.create_task(store.submit(keyed())) for _ in range(50)]

    assert not first.replayed
    assert {task.result().state.job_id for task in again} == {first.state.job_id}
    assert all(task.result().replayed for task in again)
    assert {task.result().state.created_at_ms for task in again} == {first.state.created_at_ms}
    assert (await store.stats())[BUILDS].waiting == 1


async def test_a_key_is_known_for_a_day_also_when_its_job_is_over(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    job = keyed()
    await run_jobs(store, [job])

    assert (await store.submit(keyed())).state.job_id == job.job_id
    [key] = raw.keys(f"{prefix}*idem:*")
    assert 86_000_000 < raw.pttl(key) <= 86_400_000

    raw.delete(key)
    assert (await store.submit(keyed())).state.job_id != job.job_id


async def test_an_answer_is_given_again_without_the_files_and_nothing_is_queued(store: RedisJobStore) -> None:
    first = await store.submit(attrs.evolve(keyed(), supersedes=True))

    again = await store.answered(attrs.evolve(keyed(), payload=b""))

    assert again == attrs.evolve(first, replayed=True)
    assert await store.answered(keyed(tenant="b")) is None
    assert await store.answered(a_job()) is None
    with pytest.raises(KeyReused):
        await store.answered(keyed(body="c" * 64))
    assert (await store.stats())[BUILDS].waiting == 1


async def test_a_key_that_comes_with_another_body_is_refused(store: RedisJobStore) -> None:
    await store.submit(keyed())

    with pytest.raises(KeyReused):
        await store.submit(keyed(body="c" * 64))

    assert (await store.stats())[BUILDS].waiting == 1


async def test_a_key_of_another_tenant_or_queue_is_another_key(store: RedisJobStore) -> None:
    elsewhere = attrs.evolve(keyed(), job_id=new_job_id(LINT, secrets.token_bytes(16)))

    jobs = [await store.submit(job) for job in (keyed(), keyed(tenant="b"), elsewhere)]

    assert len({job.state.job_id for job in jobs}) == 3


async def test_the_text_of_a_key_is_never_stored(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    await store.submit(keyed(key="secret-looking"))

    assert not [key for key in raw.keys(f"{prefix}*") if b"secret-looking" in key]


async def test_a_replay_of_a_large_submission_leaves_no_payload_behind(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    large = secrets.token_bytes(2 * INLINE_BYTES)
    await store.submit(keyed(payload=large))

    await store.submit(keyed(payload=large))

    assert len(raw.keys(f"{prefix}*payload:*")) == 1
    assert (await claim_one(store)).payload == large


async def test_a_key_whose_job_was_refused_may_be_used_again(make_store: type[RedisJobStore]) -> None:
    store = make_store(max_jobs=1)  # type: ignore[call-arg]
    [other] = await submit(store, a_job())
    with pytest.raises(QueueFull):
        await store.submit(keyed())
    await store.cancel(other)

    assert not (await store.submit(keyed())).replayed


async def test_the_newest_takes_the_place_of_what_waits(store: RedisJobStore) -> None:
    old = await store.submit(newest())
    others = await submit(store, a_job("a"), newest("b"))

    new = await store.submit(newest())

    assert (old.superseded, new.superseded) == (None, old.state.job_id)
    state = await store.read(old.state.job_id)
    assert (state.status, state.cause) == (JobStatus.CANCELLED, "superseded")
    claims = await store.claim(BUILDS, 9)
    assert {claim.job_id for claim in claims} == {*others, new.state.job_id}


async def test_the_newest_takes_the_place_of_what_runs_and_who_runs_it_is_told(store: RedisJobStore) -> None:
    await store.submit(newest())
    claim = await claim_one(store)

    new = await store.submit(newest())

    assert new.superseded == claim.job_id
    assert not await store.finish(claim.job_id, claim.fence, PASSED)
    [order] = await store.orders(BUILDS, "0-0", 0)
    assert order == Order(position=order.position, run=claim.run)


async def test_what_is_over_is_not_superseded(store: RedisJobStore) -> None:
    [done] = await run_jobs(store, [newest()])

    assert (await store.submit(newest())).superseded is None
    assert (await store.read(done)).status is JobStatus.COMPLETED


async def test_a_submission_that_comes_again_supersedes_once(store: RedisJobStore) -> None:
    """The second sending of a request must not cancel a newer one."""
    old = await store.submit(newest())
    job = attrs.evolve(newest(), idempotency=Idempotency(key="k", body_sha256="b" * 64))
    first = await store.submit(job)
    newer = await store.submit(newest())

    replay, same = await store.submit(another_id(job)), await store.submit(job)

    assert replay.state.job_id == same.state.job_id == first.state.job_id
    assert first.superseded == replay.superseded == same.superseded == old.state.job_id
    assert (await store.read(newer.state.job_id)).status is JobStatus.PENDING


async def test_a_full_queue_has_room_for_what_takes_anothers_place(make_store: type[RedisJobStore]) -> None:
    store = make_store(max_jobs=1)  # type: ignore[call-arg]
    old = await store.submit(newest())

    new = await store.submit(newest())

    assert new.superseded == old.state.job_id
    with pytest.raises(QueueFull):
        await store.submit(newest("b"))


async def test_a_delayed_job_is_run_when_it_is_due(store: RedisJobStore, clock: Clock) -> None:
    submitted = await store.submit(attrs.evolve(a_job(), delay_ms=5_000))
    job_id = submitted.state.job_id
    assert submitted.state == await store.read(job_id)
    assert submitted.state.due_at_ms == clock.ms + 5_000
    assert await store.claim(BUILDS, 1) == []
    assert (await store.stats())[BUILDS].delayed == 1

    clock.pass_ms(5_000)

    assert (await store.reap(BUILDS)).promoted == (job_id,)
    assert (await store.read(job_id)).due_at_ms is None
    assert (await claim_one(store)).job_id == job_id


async def test_options_come_with_the_claim_and_with_the_original(store: RedisJobStore) -> None:
    job = attrs.evolve(a_job("t", priority=7, payload=b"{1}"), options=OPTIONS)
    await store.submit(job)

    claim, original = await claim_one(store), await store.original(job.job_id)

    assert claim.options == OPTIONS
    assert (await store.read(job.job_id)).attempts == 3
    assert (original.tenant, original.priority, original.options) == (Tenant("t"), 7, OPTIONS)
    assert (original.payload, original.status) == (b"{1}", JobStatus.PROCESSING)


async def test_the_original_of_a_large_job_is_there_too_and_of_none_is_not(store: RedisJobStore) -> None:
    large = secrets.token_bytes(2 * INLINE_BYTES)
    [job_id] = await submit(store, a_job(payload=large))

    assert (await store.original(job_id)).payload == large
    with pytest.raises(UnknownJob):
        await store.original(JobId(new_job_id(BUILDS, b"0" * 16)))


async def test_of_a_job_that_is_over_no_place_is_kept(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    await run_jobs(store, [newest(tenant) for tenant in "abc"])

    assert raw.exists(f"{prefix}:{{builds.0}}:latest") == 0
