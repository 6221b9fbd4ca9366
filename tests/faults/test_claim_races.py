"""F24, F25, F44, F47 and the promise G3: many hands on the same jobs at once, on the real scripts."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Final

import pytest
import pytest_asyncio

from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus
from chef_supervisor.store.answers import Blame, Postponed
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import (
    BUILDS,
    LEASE_MS,
    PASSED,
    Clock,
    a_job,
    finish_together,
    many_tasks,
    submit_together,
)
from tests.kit.invariants import violations
from tests.kit.queue_snapshot import take_snapshot
from tests.kit.redis_servers import REDIS_8, RedisProcess, running_process

pytestmark = pytest.mark.asyncio
# Promised: 50 ms. A busy machine takes a script's CPU away for longer than that.
MOST_SCRIPT_S: Final = 0.25


@pytest.fixture
def server() -> Iterator[RedisProcess]:
    with running_process(REDIS_8) as started:
        yield started


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def make_store(server: RedisProcess, clock: Clock) -> AsyncIterator[Callable[[], RedisJobStore]]:
    stores: list[RedisJobStore] = []

    def make() -> RedisJobStore:
        stores.append(RedisJobStore(server.config(command_timeout_s=60.0, queues=(BUILDS,)), now_ms=clock))
        return stores[-1]

    yield make
    for store in stores:
        await store.close()


async def queued(store: RedisJobStore, count: int) -> list[JobId]:
    jobs = [a_job(tenant=f"tenant-{number % 7}") for number in range(count)]
    await submit_together(store, jobs)
    return [job.job_id for job in jobs]


async def claimed(store: RedisJobStore, count: int) -> list[Claim]:
    """All of them, over as many calls as it takes."""
    await queued(store, count)
    claims: list[Claim] = []
    while len(claims) < count:
        claims += await store.claim(BUILDS, 256)
    return claims


async def let_leases_run_out(store: RedisJobStore, clock: Clock) -> None:
    """A reaper looks all the time, so that the silence is the holders' and not the reaper's."""
    for _ in range(4):
        await store.reap(BUILDS, 1)
        clock.pass_ms(LEASE_MS // 4)


def all_that_a_holder_may(
    store: RedisJobStore, job_id: JobId, fence: Fence
) -> Iterator[Coroutine[Any, Any, bool | Postponed]]:
    yield store.finish(job_id, fence, PASSED)
    yield store.renew(job_id, fence)
    yield store.progress(job_id, fence, 50)
    yield store.release(job_id, fence)
    yield store.postpone(job_id, fence, Blame.PROJECT, "late", 0)
    yield store.postpone(job_id, fence, Blame.INFRASTRUCTURE, "late", 0)


def not_in_order(server: RedisProcess, accepted: list[JobId], *, over: bool = False) -> list[str]:
    with server.client() as raw:
        return violations(raw, accepted, over=over, queues=(BUILDS,))


@pytest.mark.parametrize("count", [3_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_f24_a_job_that_many_supervisors_claim_at_once_has_one_owner(
    server: RedisProcess, make_store: Callable[[], RedisJobStore], count: int
) -> None:
    stores = [make_store() for _ in range(4)]
    job_ids = await queued(stores[0], count)
    together = asyncio.Barrier(len(stores))

    async def take_all(store: RedisJobStore) -> list[Claim]:
        mine: list[Claim] = []
        await together.wait()
        while got := await store.claim(BUILDS, 1 + secrets.randbelow(16)):
            mine += got
        return mine

    with many_tasks():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(take_all(store)) for store in stores]
    owners = Counter(claim.job_id for task in tasks for claim in task.result())

    assert sorted(owners) == sorted(job_ids)
    assert set(owners.values()) == {1}
    # A race that one of them wins alone is none.
    assert sum(bool(task.result()) for task in tasks) > 1
    assert not_in_order(server, job_ids) == []


async def test_f25_a_finish_that_races_with_the_reaper_is_done_or_the_job_waits_again(
    server: RedisProcess, make_store: Callable[[], RedisJobStore], clock: Clock
) -> None:
    holder, reaper = make_store(), make_store()
    claims = await claimed(holder, 400)
    await let_leases_run_out(reaper, clock)
    finished: dict[JobId, bool] = {}

    async def finish(claim: Claim) -> None:
        # Ten at a time, so that the reaper gets in between.
        finished[claim.job_id] = await holder.finish(claim.job_id, claim.fence, PASSED)

    async def finish_all() -> None:
        for start in range(0, len(claims), 10):
            async with asyncio.TaskGroup() as group:
                for claim in claims[start : start + 10]:
                    group.create_task(finish(claim))

    async def reap_all() -> set[JobId]:
        requeued: set[JobId] = set()
        # From the end that is finished last: both meet in the middle.
        while len(finished) < len(claims):
            requeued |= set((await reaper.reap(BUILDS, 5)).requeued)
        return requeued

    with many_tasks():
        async with asyncio.TaskGroup() as group:
            reaping = group.create_task(reap_all())
            group.create_task(finish_all())
    requeued = reaping.result()

    assert {job_id for job_id, done in finished.items() if not done} == requeued
    assert 0 < len(requeued) < len(claims)
    assert not_in_order(server, [claim.job_id for claim in claims]) == []


async def test_g3_a_holder_that_lost_its_job_changes_nothing_while_another_runs_it(
    server: RedisProcess, make_store: Callable[[], RedisJobStore], clock: Clock
) -> None:
    first, second = make_store(), make_store()
    [stale] = await claimed(first, 1)
    await let_leases_run_out(second, clock)
    await second.reap(BUILDS)
    [held] = await second.claim(BUILDS, 1)
    with server.client() as raw:
        before = take_snapshot(raw, BUILDS)
        # Its number with another's nonce is no better.
        fences = (stale.fence, Fence(held.fence.run, stale.fence.nonce), Fence(stale.fence.run, held.fence.nonce))

        answers = [await call for fence in fences for call in all_that_a_holder_may(first, stale.job_id, fence)]

        after = take_snapshot(raw, BUILDS)
    assert set(answers) == {False, Postponed.FENCED}
    assert after == before
    assert await second.finish(held.job_id, held.fence, PASSED)
    assert not_in_order(server, [held.job_id], over=True) == []


@pytest.mark.parametrize("count", [4_000, pytest.param(16_000, marks=pytest.mark.slow)])
async def test_f44_thousands_of_leases_that_end_at_once_are_all_given_back_by_short_scripts(
    server: RedisProcess, make_store: Callable[[], RedisJobStore], clock: Clock, count: int
) -> None:
    store = make_store()
    claims = await claimed(store, count)
    await let_leases_run_out(store, clock)
    requeued: list[JobId] = []

    with server.client() as raw:
        raw.config_set("slowlog-log-slower-than", int(MOST_SCRIPT_S * 1e6))
        raw.slowlog_reset()
        while some := (await store.reap(BUILDS, 256)).requeued:
            requeued += some
        slow: Any = raw.slowlog_get()

    assert sorted(requeued) == sorted(claim.job_id for claim in claims)
    assert [entry["command"][:40] for entry in slow] == []
    assert not_in_order(server, requeued) == []


async def test_f47_a_cancel_that_races_with_a_finish_has_one_winner(
    server: RedisProcess, make_store: Callable[[], RedisJobStore]
) -> None:
    holder, other = make_store(), make_store()
    claims = await claimed(holder, 300)
    winners: Counter[str] = Counter()

    async def race(claim: Claim, turns: int) -> None:
        async with asyncio.TaskGroup() as group:
            cancel = group.create_task(other.cancel(claim.job_id))
            # Of each twenty the first are finished at once, the last when the cancel has long been sent.
            for _ in range(turns):
                await asyncio.sleep(0)
            finish = group.create_task(holder.finish(claim.job_id, claim.fence, PASSED))
        done, state = finish.result(), cancel.result()
        assert state.status is (JobStatus.COMPLETED if done else JobStatus.CANCELLED)
        winners["finish" if done else "cancel"] += 1

    for start in range(0, len(claims), 20):
        with many_tasks():
            async with asyncio.TaskGroup() as group:
                for turns, claim in enumerate(claims[start : start + 20]):
                    group.create_task(race(claim, turns))

    assert winners.keys() == {"finish", "cancel"}, winners
    assert not_in_order(server, [claim.job_id for claim in claims], over=True) == []


async def test_f47_an_end_of_any_kind_is_the_end_for_all_who_come_late(
    server: RedisProcess, make_store: Callable[[], RedisJobStore]
) -> None:
    store = make_store()
    claims = await claimed(store, 100)

    with many_tasks():
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                for _ in range(3):
                    group.create_task(store.cancel(claim.job_id))
                    group.create_task(store.renew(claim.job_id, claim.fence))
                    group.create_task(store.release(claim.job_id, claim.fence))
    await finish_together(store, claims)

    # Released before they were cancelled: cancelled all the same.
    assert {(await store.read(claim.job_id)).status for claim in claims} == {JobStatus.CANCELLED}
    assert not_in_order(server, [claim.job_id for claim in claims], over=True) == []
