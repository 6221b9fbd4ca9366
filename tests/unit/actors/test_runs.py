"""Runs are told apart, also two of one job: each has its slot, and its end is told to it alone."""

from __future__ import annotations

import asyncio

import attrs

from chef_supervisor.domain.job import Fence, JobStatus, RunId
from chef_supervisor.protocol import EndRun, Holdings, StartJobs
from tests.kit.recording import until
from tests.kit.virtual_time import settle, virtual
from tests.unit.actors.house import BUILDS, House, Idle, house


async def two_runs_of_one_job(it: House) -> tuple[Idle, Idle]:
    """Returns: the runner of a job that was taken away, and is slow to end, and that of its next run."""
    await it.submit(BUILDS, 1)
    await until(lambda: len(it.running) == 1)
    [first] = it.running.values()
    await it.store.take_back(BUILDS)
    await until(lambda: len(it.running) == 2)
    return first, it.running[RunId(first.claim.job_id, 2)]


@virtual
async def test_a_run_that_winds_down_and_the_next_of_its_job_hold_and_free_a_slot_each() -> None:
    async with house(slots=2) as it:
        first, second = await two_runs_of_one_job(it)
        await it.submit(BUILDS, 3)
        await asyncio.sleep(5)
        assert set(it.running.values()) == {first, second}

        first.ctx.ref.tell_nowait("done")
        await asyncio.sleep(5)
        assert len(it.running) == 2
        assert second in it.running.values()

        second.ctx.ref.tell_nowait("done")
        await asyncio.sleep(5)
        assert len(it.running) == 2
        assert second not in it.running.values()


@virtual
async def test_a_restarted_dispatcher_counts_both_runs_of_a_job() -> None:
    async with house(slots=2) as it:
        both = await two_runs_of_one_job(it)
        await it.submit(BUILDS, 1)

        it.dispatcher.tell_nowait("no message of the protocol")
        await asyncio.sleep(5)

        assert set(it.running.values()) == set(both)


@virtual
async def test_the_end_of_a_run_is_told_to_its_runner_alone() -> None:
    async with house(slots=3) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 2)
        run = it.of(BUILDS)[0].claim.run

        it.pools[BUILDS].tell_nowait(EndRun(run))
        it.pools[BUILDS].tell_nowait(EndRun(RunId(run.job_id, run.number + 1)))
        await settle()

        assert it.ordered == [run]


@virtual
async def test_a_run_that_was_ended_while_its_claim_was_under_way_is_not_begun() -> None:
    async with house(slots=1) as it:
        it.store.claim_s = 0.5
        await it.submit(BUILDS, 1)
        [job] = it.store.jobs.values()
        await until(lambda: job.state.status is JobStatus.PROCESSING)

        it.pools[BUILDS].tell_nowait(EndRun(RunId(job.job.job_id, 1)))
        await it.submit(BUILDS, 1)
        await until(lambda: len(it.running) == 1)

        assert job.job.job_id not in {run.job_id for run in it.running}


@virtual
async def test_the_end_of_a_run_finds_its_runner_also_after_its_pool_crashed() -> None:
    async with house(slots=3) as it:
        await it.submit(BUILDS, 1)
        await until(lambda: len(it.running) == 1)
        [run] = it.running
        it.pools[BUILDS].tell_nowait("no message of the protocol")
        await asyncio.sleep(1)

        it.pools[BUILDS].tell_nowait(EndRun(run))
        await settle()

        assert it.ordered == [run]


@virtual
async def test_the_end_of_a_run_that_is_over_costs_nothing() -> None:
    async with house(slots=1) as it:
        await it.submit(BUILDS, 2)
        await until(lambda: len(it.running) == 1)
        [first] = it.running.values()
        first.ctx.ref.tell_nowait("done")

        it.pools[BUILDS].tell_nowait(EndRun(first.claim.run))

        await until(lambda: it.running != {} and first.claim.run not in it.running)
        assert it.ordered == []


@virtual
async def test_a_run_whose_number_was_given_again_takes_nothing_from_the_newer_one_at_its_end() -> None:
    """A Redis that lost its last second has forgotten the first claim; its runner does not know that yet."""
    async with house(slots=3) as it:
        await it.submit(BUILDS, 1)
        await until(lambda: len(it.running) == 1)
        [forgotten] = it.running.values()
        claim = attrs.evolve(forgotten.claim, fence=Fence(1, "another nonce"))
        it.pools[BUILDS].tell_nowait(StartJobs((claim,)))
        await settle()
        newer = it.running[claim.run]

        forgotten.ctx.ref.tell_nowait("done")
        await settle()

        assert newer is not forgotten
        assert await it.pools[BUILDS].ask(Holdings(), timeout_s=1.0) == {claim.run}
        it.pools[BUILDS].tell_nowait(EndRun(claim.run))
        await settle()
        assert it.ordered == [claim.run]
