"""Dispatcher and pools together: slots are shared in turn, and no death of a pool or runner leaks one."""

from __future__ import annotations

import asyncio

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.protocol import Beat, WorkArrived
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.house import BUILDS, TESTS, house


@virtual
async def test_no_more_is_claimed_than_there_are_slots() -> None:
    async with house(slots=3) as it:
        await it.submit(BUILDS, 5)

        await until(lambda: len(it.running) == 3)
        await asyncio.sleep(5)

        statuses = [held.state.status for held in it.store.jobs.values()]
        assert statuses.count(JobStatus.PROCESSING) == 3


@virtual
async def test_queues_take_turns_for_the_slots() -> None:
    async with house(slots=4, waiting=10) as it:
        await until(lambda: len(it.running) == 4)

        assert (len(it.of(BUILDS)), len(it.of(TESTS))) == (2, 2)


@virtual
async def test_a_queue_that_waits_gets_the_next_free_slot() -> None:
    async with house(slots=2) as it:
        await it.submit(BUILDS, 10)
        await until(lambda: len(it.of(BUILDS)) == 2)
        await it.submit(TESTS, 1)
        await asyncio.sleep(2)

        it.of(BUILDS)[0].ctx.ref.tell_nowait("done")

        await until(lambda: len(it.of(TESTS)) == 1)


@virtual
async def test_a_freed_slot_is_used_at_once() -> None:
    async with house(slots=1) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 1)
        [first] = it.running.values()

        first.ctx.ref.tell_nowait("done")

        await until(lambda: it.running != {} and first not in it.running.values())


@virtual
async def test_a_hint_is_taken_without_waiting_for_the_poll() -> None:
    async with house(slots=1) as it:
        await asyncio.sleep(0.5)
        await it.submit(BUILDS, 1)

        it.dispatcher.tell_nowait(WorkArrived(BUILDS))

        await until(lambda: len(it.running) == 1, within_s=0.1)


@virtual
async def test_a_crashed_runner_frees_its_slot() -> None:
    async with house(slots=1) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 1)
        [first] = it.running.values()

        first.ctx.ref.tell_nowait(RuntimeError("made to fail"))

        await until(lambda: it.running != {} and first not in it.running.values())


@virtual
async def test_a_crashed_pool_leaves_its_runners_running_and_their_slots_taken() -> None:
    async with house(slots=2) as it:
        await it.submit(BUILDS, 5)
        await until(lambda: len(it.running) == 2)
        before = set(it.running)

        it.pools[BUILDS].tell_nowait("no message of the protocol")
        await asyncio.sleep(5)

        assert set(it.running) == before


@virtual
async def test_a_runner_that_ends_after_its_pool_crashed_frees_its_slot() -> None:
    async with house(slots=1) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 1)
        [first] = it.running.values()
        it.pools[BUILDS].tell_nowait("no message of the protocol")
        await asyncio.sleep(5)

        first.ctx.ref.tell_nowait("done")

        await until(lambda: it.running != {} and first not in it.running.values())


@virtual
async def test_a_restarted_dispatcher_counts_what_its_pools_hold() -> None:
    async with house(slots=2) as it:
        await it.submit(BUILDS, 5)
        await until(lambda: len(it.running) == 2)

        it.dispatcher.tell_nowait("no message of the protocol")
        await asyncio.sleep(5)

        assert len(it.running) == 2


@virtual
async def test_claims_go_on_when_the_store_is_back() -> None:
    async with house(slots=1) as it:
        it.store.away = True
        await asyncio.sleep(5)
        it.store.away = False
        await it.submit(BUILDS, 1)

        await until(lambda: len(it.running) == 1, within_s=5)


@virtual
async def test_nothing_is_claimed_while_the_sandbox_is_away() -> None:
    async with house(slots=1) as it:
        it.sandbox.away = True
        await it.watched.is_away()
        await it.submit(BUILDS, 3)

        await asyncio.sleep(60)
        runs = [held.state.runs for held in it.store.jobs.values()]
        it.sandbox.away = False

        assert runs == [0, 0, 0]
        await until(lambda: len(it.running) == 1)


@virtual
async def test_nothing_is_claimed_before_the_jobs_of_the_last_process_wait_again() -> None:
    async with house(slots=1) as it:
        it.taken_over.clear()
        await it.submit(BUILDS, 1)

        await asyncio.sleep(60)
        [job] = it.store.jobs.values()
        runs = job.state.runs
        it.taken_over.set()

        assert runs == 0
        await until(lambda: len(it.running) == 1, within_s=5)


@virtual
async def test_a_job_claimed_while_the_process_stops_still_gets_a_runner() -> None:
    begun: list[str] = []
    async with house(slots=1) as it:
        it.on_begin = begun.append
        it.store.claim_s = 0.5
        await it.submit(BUILDS, 1)
        [job] = it.store.jobs.values()
        # Redis gave the job away; its answer is still under way when the stop comes.
        await until(lambda: job.state.status is JobStatus.PROCESSING)
        early = list(begun)

    assert early == []
    assert begun == [job.job.job_id]


@virtual
async def test_a_dispatcher_shows_that_it_lives_at_every_poll() -> None:
    async with house(slots=1) as it:
        await asyncio.sleep(30.5)

        assert it.vitals.dispatched_at is not None
        assert now_s() - it.vitals.dispatched_at <= 1.0


@virtual
async def test_a_dispatcher_that_seldom_looks_shows_life_all_the_same() -> None:
    async with house(slots=1, poll_s=60.0) as it:
        await asyncio.sleep(30.5)

        assert it.vitals.dispatched_at is not None
        assert now_s() - it.vitals.dispatched_at <= 1.0


@virtual
async def test_a_dispatcher_that_hangs_shows_no_life_and_keeps_its_mailbox_free() -> None:
    async with house(slots=1) as it:
        await asyncio.sleep(5.5)
        it.store.claim_s = 50.0
        await it.submit(BUILDS, 1)
        await asyncio.sleep(45)

        assert it.vitals.dispatched_at is not None
        assert now_s() - it.vitals.dispatched_at > 40.0
        assert it.dispatcher.unread.count(Beat()) == 1
