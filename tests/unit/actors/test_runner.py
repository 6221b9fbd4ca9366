"""A runner takes one job from claim to outcome, whatever happens to its box or its store."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.domain.job import Fence, JobId, JobStatus
from tests.kit.fake_sandbox import endless
from tests.kit.fake_store import FakeStore
from tests.kit.recording import until
from tests.kit.virtual_time import virtual
from tests.unit.actors.runner_bench import GRACE_S, TESTS, Bench, bench


@virtual
async def test_a_job_whose_steps_pass_is_completed() -> None:
    it = bench()
    claim = await it.claimed()

    async with it.running(claim):
        status = await it.until_over(claim.job_id)

    assert status is JobStatus.COMPLETED


@virtual
async def test_nothing_is_left_of_the_box_when_the_job_is_over() -> None:
    it = bench()
    claim = await it.claimed()

    async with it.running(claim):
        await it.until_gone()
        assert it.sandbox.orders
        assert not it.sandbox.open


@virtual
async def test_the_end_is_told_before_the_box_is_removed_which_holds_the_slot_until_then() -> None:
    it = bench()
    it.sandbox.cleanup_s = 30.0
    claim = await it.claimed()

    async with it.running(claim):
        await it.until_over(claim.job_id)
        assert it.sandbox.open
        assert not it.runner.closed
        await it.until_gone()
        assert not it.sandbox.open


@virtual
async def test_a_runner_that_is_stopped_while_its_box_is_removed_puts_nothing_back() -> None:
    it = bench()
    it.sandbox.cleanup_s = 2 * GRACE_S
    claim = await it.claimed()

    async with it.running(claim):
        status = await it.until_over(claim.job_id)

    assert status is JobStatus.COMPLETED
    assert "release" not in it.store.calls


@virtual
async def test_a_job_that_is_over_has_no_lease_renewed_while_its_box_is_removed() -> None:
    it = bench()
    it.sandbox.cleanup_s = 60.0
    claim = await it.claimed()

    async with it.running(claim):
        await it.until_over(claim.job_id)
        it.store.forget_calls()
        await it.until_gone()

    assert "renew" not in it.store.calls


@virtual
async def test_a_runner_ends_when_its_job_did_and_holds_no_lease_any_more() -> None:
    it = bench()
    claim = await it.claimed()

    async with it.running(claim):
        await it.until_gone()
        it.store.forget_calls()
        await asyncio.sleep(60)

    assert "renew" not in it.store.calls


@virtual
async def test_a_job_without_a_toolchain_ends_without_a_box() -> None:
    it = bench()
    claim = await it.claimed({"README.md": b"hello"})

    async with it.running(claim):
        status = await it.until_over(claim.job_id)

    assert status is JobStatus.FAILED
    assert not it.sandbox.orders


@virtual
async def test_boxes_are_named_by_the_number_of_the_run_which_is_never_given_twice() -> None:
    it = bench(endless)
    first = await it.claimed()
    await it.store.release(first.job_id, first.fence)
    second = await it.claim()

    async with it.running(second):
        await it.sandbox.started.wait()

    assert (second.runs, second.fence.run) == (1, 2)
    [order] = it.sandbox.orders
    assert order.name == f"chef-{second.job_id}-2"
    assert order.labels == {"chef.job": second.job_id, "chef.run": "2"}


@virtual
async def test_a_bug_in_a_helper_burns_the_run() -> None:
    class Buggy(FakeStore):
        async def progress(self, job_id: JobId, fence: Fence, percent: int) -> bool:
            raise KeyError("made to fail")

    it = Bench(store=Buggy())
    it.sandbox.plays = [endless]
    claim = await it.claimed()

    async with it.running(claim):
        await it.sandbox.started.wait()
        await until(lambda: not it.sandbox.open)

    assert "release" not in it.store.calls
    assert it.state(claim).status is JobStatus.PROCESSING


@virtual
async def test_an_outcome_is_kept_until_the_store_is_back() -> None:
    it = bench()
    claim = await it.claimed()
    it.store.away = True

    async with it.running(claim):
        await until(lambda: it.store.calls.get("finish", 0) == 3)
        it.store.away = False
        status = await it.until_over(claim.job_id)

    assert status is JobStatus.COMPLETED


@virtual
async def test_words_of_the_sandbox_may_hold_anything(caplog: pytest.LogCaptureFixture) -> None:
    it = bench()
    it.sandbox.away = True
    it.sandbox.words = "100% full: %s %d"
    claim = await it.claimed()

    async with it.running(claim):
        await until(lambda: "release" in it.store.calls)

    assert [record for record in caplog.records if "100% full: %s %d" in record.getMessage()]


@virtual
async def test_progress_is_told_as_steps_end() -> None:
    it = bench()
    claim = await it.claimed()

    async with it.running(claim):
        await it.until_over(claim.job_id)

    told = [event.progress for event in it.store.streams[TESTS]]
    assert told == sorted(told)
    assert any(0 < percent < 100 for percent in told)
