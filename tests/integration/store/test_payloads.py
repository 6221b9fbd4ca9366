"""A claim carries what was submitted, and a job that lost a part of itself holds up nobody."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import redis

from chef_supervisor.domain.errors import ChefError, StoreUnavailable
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.connect import Command, Reply
from chef_supervisor.store.evaluate import Item
from chef_supervisor.store.plain import PlainCommands
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, Clock, a_job, claim_one, submit

pytestmark = pytest.mark.asyncio
LARGE = random.Random(1).randbytes(300_000)


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


async def test_a_job_whose_payload_is_lost_ends_and_holds_up_nobody(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    lost, broken, good = await submit(store, a_job(payload=LARGE), a_job(), a_job())
    raw.delete(f"{prefix}:{{builds.0}}:payload:{lost}")
    raw.set(f"{prefix}:{{builds.0}}:payload:{broken}", b"\x01no deflate")

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


@pytest.mark.parametrize("size", [40_000, 700_000], ids=["in the hash", "under a key of its own"])
async def test_a_claim_takes_no_more_than_can_be_read_in_time(store: RedisJobStore, size: int) -> None:
    """Else a slow way to Redis would have them claimed, given up and put back for ever."""
    jobs = await submit(store, *(a_job(payload=random.Random(n).randbytes(size)) for n in range(30)))
    at_once = max(1, (1 << 20) // size)

    claims = await store.claim(BUILDS, 30)

    assert [claim.job_id for claim in claims] == jobs[: len(claims)]
    assert len(claims) == min(at_once, 30)
    # Who waits for work hears that there is more.
    assert await store.wait_for_work(BUILDS, 0.01)
