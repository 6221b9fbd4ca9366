"""What is told of a job, also of one that is forgotten; what is left of it all; and who is woken for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import attrs
import orjson
import pytest
import redis

from chef_supervisor.domain.delivery import EventKind, Settlement
from chef_supervisor.domain.errors import CorruptState, UnknownJob
from chef_supervisor.domain.job import QueueName
from chef_supervisor.store.answers import Blame, DeliveryCounts
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.redis_store import RedisJobStore
from chef_supervisor.webhooks.convex_call import Functions, call_of
from chef_supervisor.webhooks.event_body import event_body
from tests.integration.store.making import BUILDS, FAILED, Clock, claim_one
from tests.integration.store.telling import (
    CONVEX,
    HOOK,
    Make,
    a_told_job,
    ended,
    finish,
    keys_of_deliveries,
    start,
    take_all,
    take_one,
    to,
)

pytestmark = pytest.mark.asyncio
KEEP_S = 60


@pytest.fixture
def forgetful(make_store: Make) -> RedisJobStore:
    return make_store(keep_s=KEEP_S)


async def forget_all(store: RedisJobStore, clock: Clock) -> None:
    clock.pass_ms(KEEP_S * 1_000 + 1)
    assert (await store.reap(BUILDS)).forgotten > 0


async def test_a_message_is_the_job_as_it_is_and_an_end_has_the_result(either: JobStore) -> None:
    claim = await start(either)
    delivery = await take_one(either)
    started = await either.message(delivery)
    await either.settle(delivery, Settlement.TAKEN)
    await finish(either, claim, FAILED)
    last = await take_one(either)
    message = await either.message(last)

    assert (started.kind, started.result, started.tenant) == (EventKind.STARTED, None, "a")
    assert started.created_at_ms is not None
    assert started.started_at_ms == started.at_ms
    assert (message.event_id, message.seq, message.cause, message.runs) == (last.event_id, last.seq, "exit", 1)
    assert message.result is not None
    assert orjson.loads(message.result)["verdict"] == "failed"
    assert not message.forgotten


@pytest.mark.parametrize("progress", [False, True])
async def test_each_try_of_an_event_says_the_same_whatever_became_of_the_job(
    store: RedisJobStore, progress: bool
) -> None:
    claim = await start(store)
    if progress:
        assert await store.progress(claim.job_id, claim.fence, 40)
    delivery = await take_one(store)
    told = [await store.message(delivery)]
    await store.postpone(claim.job_id, claim.fence, Blame.PROJECT, "again", 0)
    told.append(await store.message(delivery))
    again = await claim_one(store)
    told.append(await store.message(delivery))
    await finish(store, again, FAILED)
    told.append(await store.message(delivery))

    assert delivery.kind is (EventKind.PROGRESS if progress else EventKind.STARTED)
    assert len({event_body(message) for message in told}) == 1
    assert len({call_of(message, Functions()).body for message in told}) == 1


async def test_what_still_waits_is_told_without_its_forgotten_job(
    forgetful: RedisJobStore, clock: Clock, raw: redis.Redis, prefix: str
) -> None:
    job_id = await ended(forgetful, to(CONVEX), to(HOOK))
    await forgetful.settle(await take_one(forgetful, HOOK), Settlement.TAKEN)

    await forget_all(forgetful, clock)

    assert keys_of_deliveries(raw, prefix) == {"outboxes", "outbox:convex", f"delivery:{job_id}:convex"}
    with pytest.raises(UnknownJob):
        await forgetful.deliveries(job_id)
    with pytest.raises(UnknownJob):
        await forgetful.redeliver(job_id, None)
    delivery = await take_one(forgetful)
    message = await forgetful.message(delivery)
    assert (message.forgotten, message.result, message.tenant) == (True, None, None)
    assert (message.kind, message.job_id, message.event_id) == (EventKind.COMPLETED, job_id, delivery.event_id)


@pytest.mark.parametrize("settlement", [Settlement.TAKEN, Settlement.ENDED, Settlement.GONE])
async def test_what_ends_after_its_job_is_forgotten_expires(
    forgetful: RedisJobStore, clock: Clock, raw: redis.Redis, prefix: str, settlement: Settlement
) -> None:
    job_id = await ended(forgetful)
    delivery = await take_one(forgetful)
    await forget_all(forgetful, clock)

    assert await forgetful.settle(delivery, settlement)

    key = f"delivery:{job_id}:convex"
    assert keys_of_deliveries(raw, prefix) - {"disabled"} == {key}
    ttl_ms = raw.pttl(f"{prefix}:{{builds.0}}:{key}")
    assert isinstance(ttl_ms, int)
    assert 0 < ttl_ms <= KEEP_S * 1_000
    # The reply may have been lost.
    assert await forgetful.settle(delivery, settlement)


async def test_of_jobs_that_are_told_and_forgotten_nothing_is_left(
    forgetful: RedisJobStore, clock: Clock, raw: redis.Redis, prefix: str
) -> None:
    for _ in range(20):
        await ended(forgetful, to(CONVEX), to(HOOK, progress=False))
    for receiver in (CONVEX, HOOK):
        for delivery in await take_all(forgetful, receiver, slots=50):
            await forgetful.settle(delivery, Settlement.TAKEN)
    assert keys_of_deliveries(raw, prefix) != set()

    await forget_all(forgetful, clock)

    assert keys_of_deliveries(raw, prefix) == set()
    assert (await forgetful.delivery_counts())[BUILDS] == DeliveryCounts(delivered=40, tries=40)


async def test_what_is_no_row_of_ours_is_dropped_and_the_others_go_on(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    keys = f"{prefix}:{{builds.0}}"
    lost, text, spoilt, well = [await ended(store) for _ in range(4)]
    raw.delete(f"{keys}:delivery:{lost}:convex", f"{keys}:delivery:{text}:convex")
    raw.set(f"{keys}:delivery:{text}:convex", "text")
    raw.hset(f"{keys}:delivery:{spoilt}:convex", "kind", "job.painted")

    assert (await take_one(store)).job_id == well

    await store.check()
    while (await store.delivery_counts())[BUILDS].waiting > 1:
        await store.due_receivers(BUILDS)
    assert raw.hget(f"{keys}:delivery:{spoilt}:convex", "reason") == b"unreadable"


@pytest.mark.parametrize("name", ["delivery:{job_id}:convex", "outbox:convex", "outboxes"])
async def test_what_others_put_in_the_place_of_the_outbox_keeps_no_job_from_its_end(
    forgetful: RedisJobStore, clock: Clock, raw: redis.Redis, prefix: str, name: str
) -> None:
    claim = await start(forgetful)
    key = f"{prefix}:{{builds.0}}:{name.format(job_id=claim.job_id)}"
    raw.delete(key)
    raw.set(key, "text")

    await finish(forgetful, claim)

    assert (await take_one(forgetful)).kind is EventKind.COMPLETED
    raw.delete(f"{prefix}:{{builds.0}}:delivery:{claim.job_id}:convex")
    raw.set(f"{prefix}:{{builds.0}}:delivery:{claim.job_id}:convex", "text")
    await forget_all(forgetful, clock)
    with pytest.raises(UnknownJob):
        await forgetful.read(claim.job_id)


@pytest.mark.parametrize("spoilt", ["receivers", "row"])
async def test_what_was_not_written_so_is_no_state_of_a_delivery(
    store: RedisJobStore, raw: redis.Redis, prefix: str, spoilt: str
) -> None:
    job_id = await ended(store)
    keys = f"{prefix}:{{builds.0}}"
    if spoilt == "row":
        raw.hset(f"{keys}:delivery:{job_id}:convex", "state", "lost")
    else:
        raw.hset(f"{keys}:job:{job_id}", "receivers", "1 convex")

    with pytest.raises(CorruptState):
        await store.deliveries(job_id)


async def test_an_unreadable_job_is_told_of_as_a_forgotten_one(
    store: RedisJobStore, raw: redis.Redis, prefix: str
) -> None:
    job_id = await ended(store)
    raw.set(f"{prefix}:{{builds.0}}:result:{job_id}", b"\xff?")

    message = await store.message(await take_one(store))

    assert (message.kind, message.result, message.forgotten) == (EventKind.COMPLETED, None, True)


async def test_who_delivers_is_woken_by_what_makes_something_due(either: JobStore) -> None:
    woken: list[QueueName] = []
    either.on_change = woken.append

    async def wakes(command: Awaitable[object]) -> bool:
        woken.clear()
        await command
        return set(woken) == {BUILDS}

    job_id = (await either.submit(a_told_job())).state.job_id
    claiming = asyncio.ensure_future(claim_one(either))
    assert await wakes(claiming)
    fence = claiming.result().fence
    assert await wakes(either.progress(job_id, fence, 50))
    assert await wakes(either.finish(job_id, fence, FAILED))
    assert not await wakes(either.submit(attrs.evolve(a_told_job(), supersedes=True)))
    last = attrs.evolve(a_told_job(), supersedes=True)
    assert await wakes(either.submit(last))
    assert await wakes(either.cancel(last.job_id))
    assert await wakes(either.redeliver(job_id, None))
    await either.submit(a_told_job())
    for _ in range(3):
        one = await claim_one(either)
        assert not await wakes(either.postpone(one.job_id, one.fence, Blame.PROJECT, "why", 0))
        await either.reap(BUILDS)


async def test_poisoned_jobs_wake_who_delivers(make_store: Make) -> None:
    store = make_store(instance="one", max_ruined_runs=0)
    woken: list[QueueName] = []
    store.on_change = woken.append
    for end in ("postpone", "take_back"):
        claim = await start(store)
        woken.clear()
        if end == "postpone":
            await store.postpone(claim.job_id, claim.fence, Blame.INFRASTRUCTURE, "why", 0)
        else:
            await store.take_back(BUILDS)
        assert woken == [BUILDS]
