"""A runner takes one job from claim to outcome, whatever happens to its box, its lease or its store."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

import attrs
import pytest

from chef_supervisor.actors.runner import Runner
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.payload import pack
from chef_supervisor.engine.plan import Budget
from chef_supervisor.engine.toolchains import load_toolchains
from chef_supervisor.kernel import Ref
from chef_supervisor.sandboxes.sandbox import Limits
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import default_config
from chef_supervisor.workshop import Workshop
from tests.kit.fake_sandbox import FakeSandbox, Play, endless, killed, passing
from tests.kit.fake_store import FakeStore
from tests.kit.recording import alone, until
from tests.kit.virtual_time import now_s, virtual

TESTS = QueueName("tests")
FILES = {"package.json": b'{"name": "x", "scripts": {"test": "true"}}'}
LIMITS = Limits(memory_bytes=1 << 29, cpus=1.0, pids=64, workspace_bytes=1 << 28)
RENEW_S = 3.0
GRACE_S = 5.0


@attrs.define(eq=False)
class Bench:
    """A store, a sandbox, and runners on both."""

    store: FakeStore = attrs.field(factory=FakeStore)
    sandbox: FakeSandbox = attrs.field(factory=FakeSandbox)

    def running(self, claim: Claim) -> AbstractAsyncContextManager[None]:
        """Run the job; leaving the context stops the runner."""
        shop = Workshop(
            sandbox=WatchedSandbox(self.sandbox),
            toolchains=load_toolchains(default_config() / "toolchains"),
            budget=Budget(steps_timeout_s=60, install_timeout_s=60, output_bytes=1000),
            job_limits=LIMITS,
            install_limits=LIMITS,
            trust_files={},
            trust_env={},
        )
        build = lambda: Runner(claim=claim, store=self.store, workshop=shop, renew_s=RENEW_S, grace_s=GRACE_S)  # noqa: E731
        return alone(Ref("runner"), build)


def bench(*plays: Play) -> Bench:
    return Bench(sandbox=FakeSandbox(plays=list(plays or (passing,))))


async def claimed(store: FakeStore, files: dict[str, bytes] = FILES) -> Claim:
    job_id = new_job_id(TESTS, b"\0" * 16)
    await store.submit(NewJob(job_id=job_id, type=JobType.TEST, tenant=Tenant("t"), payload=pack(files)))
    [claim] = await store.claim(TESTS, 1)
    return claim


async def until_over(store: FakeStore, job_id: JobId) -> JobStatus:
    await until(lambda: store.jobs[job_id].state.status.terminal)
    return store.jobs[job_id].state.status


@virtual
async def test_a_job_whose_steps_pass_is_completed() -> None:
    it = bench()
    claim = await claimed(it.store)

    async with it.running(claim):
        status = await until_over(it.store, claim.job_id)

    assert status is JobStatus.COMPLETED


@virtual
async def test_nothing_is_left_of_the_box_when_the_job_is_over() -> None:
    it = bench()
    claim = await claimed(it.store)

    async with it.running(claim):
        await until_over(it.store, claim.job_id)

    assert it.sandbox.orders
    assert not it.sandbox.open


@virtual
async def test_a_job_without_a_toolchain_ends_without_a_box() -> None:
    it = bench()
    claim = await claimed(it.store, {"README.md": b"hello"})

    async with it.running(claim):
        status = await until_over(it.store, claim.job_id)

    assert status is JobStatus.FAILED
    assert not it.sandbox.orders


@virtual
async def test_a_box_killed_while_the_sandbox_is_well_leaves_the_job_to_its_lease() -> None:
    it = bench(killed)
    claim = await claimed(it.store)

    async with it.running(claim):
        await asyncio.sleep(60)

    assert it.store.jobs[claim.job_id].state.status is JobStatus.PROCESSING
    assert "finish" not in it.store.calls
    assert "release" not in it.store.calls


@virtual
async def test_a_job_whose_sandbox_is_away_is_put_back_without_burning_the_run() -> None:
    it = bench()
    it.sandbox.away = True
    claim = await claimed(it.store)

    async with it.running(claim):
        await until(lambda: "release" in it.store.calls)

    state = it.store.jobs[claim.job_id].state
    assert (state.status, state.runs) == (JobStatus.PENDING, 0)


@virtual
async def test_a_runner_told_to_stop_goes_on_for_its_grace() -> None:
    it = bench()
    claim = await claimed(it.store)

    async with it.running(claim):
        await it.sandbox.started.wait()

    assert it.store.jobs[claim.job_id].state.status is JobStatus.COMPLETED


@virtual
async def test_a_runner_told_to_stop_puts_its_job_back_when_its_grace_is_over() -> None:
    it = bench(endless)
    claim = await claimed(it.store)

    async with it.running(claim):
        await it.sandbox.started.wait()
        began_s = now_s()

    state = it.store.jobs[claim.job_id].state
    assert (state.status, state.runs) == (JobStatus.PENDING, 0)
    assert not it.sandbox.open
    assert GRACE_S <= now_s() - began_s < GRACE_S + 1


@virtual
async def test_a_job_is_put_back_also_where_its_box_ends_slowly() -> None:
    it = bench(endless)
    it.sandbox.cleanup_s = 8.0
    claim = await claimed(it.store)

    async with it.running(claim):
        await it.sandbox.started.wait()

    assert it.store.jobs[claim.job_id].state.status is JobStatus.PENDING


@virtual
async def test_a_bug_in_a_helper_burns_the_run() -> None:
    it = bench(endless)
    claim = await claimed(it.store)
    it.store.jobs.clear()  # the next renewal raises KeyError

    async with it.running(claim):
        await it.sandbox.started.wait()
        await until(lambda: not it.sandbox.open)

    assert "release" not in it.store.calls


@virtual
async def test_the_lease_is_renewed_while_the_job_runs() -> None:
    it = bench(endless)
    claim = await claimed(it.store)

    async with it.running(claim):
        await until(lambda: it.store.calls.get("renew", 0) == 3)
        took_s = now_s()

    assert 3 * RENEW_S <= took_s < 4 * RENEW_S


@virtual
async def test_a_fenced_runner_ends_its_box_says_so_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    it = bench(endless)
    claim = await claimed(it.store)

    async with it.running(claim):
        await it.sandbox.started.wait()
        it.store.jobs[claim.job_id].fence = Fence(2, "somebody else")
        await until(lambda: not it.sandbox.open)

    assert "release" not in it.store.calls
    assert it.store.jobs[claim.job_id].state.status is JobStatus.PROCESSING
    assert [record for record in caplog.records if getattr(record, "event", "") == "job.fenced"]


@virtual
async def test_an_outcome_is_kept_until_the_store_is_back() -> None:
    it = bench()
    claim = await claimed(it.store)
    it.store.away = True

    async with it.running(claim):
        await until(lambda: it.store.calls.get("finish", 0) == 3)
        it.store.away = False
        status = await until_over(it.store, claim.job_id)

    assert status is JobStatus.COMPLETED


@virtual
async def test_a_finish_whose_reply_was_lost_is_not_cut_off_by_the_lease_it_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    it = bench()
    it.store.lose_finish_replies = 5
    claim = await claimed(it.store)

    async with it.running(claim):
        await until(lambda: it.store.lose_finish_replies == 0)
        await asyncio.sleep(2)

    events = [getattr(record, "event", "") for record in caplog.records if record.name == "chef.runner"]
    assert events[-1] == "job.completed"
    assert "job.fenced" not in events


@virtual
async def test_words_of_the_sandbox_may_hold_anything(caplog: pytest.LogCaptureFixture) -> None:
    it = bench()
    it.sandbox.away = True
    it.sandbox.words = "100% full: %s %d"
    claim = await claimed(it.store)

    async with it.running(claim):
        await until(lambda: "release" in it.store.calls)

    assert [record for record in caplog.records if "100% full: %s %d" in record.getMessage()]


@virtual
async def test_progress_is_told_as_steps_end() -> None:
    it = bench()
    claim = await claimed(it.store)

    async with it.running(claim):
        await until_over(it.store, claim.job_id)

    told = [event.progress for event in it.store.streams[TESTS]]
    assert told == sorted(told)
    assert any(0 < percent < 100 for percent in told)
