"""A runner takes one job from claim to outcome, whatever happens to its box, its lease or its store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chef_supervisor.actors.runner import Runner, Workshop
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.payload import pack
from chef_supervisor.engine.plan import Budget
from chef_supervisor.engine.toolchains import load_toolchains
from chef_supervisor.kernel import Ref
from chef_supervisor.sandboxes.sandbox import Limits
from chef_supervisor.settings import default_config
from tests.kit.fake_sandbox import FakeSandbox, Play, endless, killed, passing
from tests.kit.fake_store import FakeStore
from tests.kit.recording import alone, until
from tests.kit.virtual_time import now_s, settle, virtual

TESTS = QueueName("tests")
FILES = {"package.json": b'{"name": "x", "scripts": {"test": "true"}}'}
LIMITS = Limits(memory_bytes=1 << 29, cpus=1.0, pids=64, workspace_bytes=1 << 28)
RENEW_S = 3.0


def workshop(store: FakeStore, plays: Sequence[Play] = (passing,)) -> Workshop:
    return Workshop(
        store=store,
        sandbox=FakeSandbox(plays=list(plays)),
        toolchains=load_toolchains(Path(default_config()) / "toolchains"),
        budget=Budget(steps_timeout_s=60, install_timeout_s=60, output_bytes=1000),
        job_limits=LIMITS,
        install_limits=LIMITS,
        trust_files={},
        trust_env={},
        renew_s=RENEW_S,
    )


async def claimed(store: FakeStore, files: dict[str, bytes] = FILES) -> Claim:
    job_id = new_job_id(TESTS, b"\0" * 16)
    await store.submit(NewJob(job_id=job_id, type=JobType.TEST, tenant=Tenant("t"), payload=pack(files)))
    [claim] = await store.claim(TESTS, 1)
    return claim


def running(shop: Workshop, claim: Claim) -> Any:
    return alone(Ref("runner"), lambda: Runner(claim=claim, workshop=shop))


async def until_over(store: FakeStore, job_id: JobId) -> JobStatus:
    await until(lambda: store.jobs[job_id].state.status.terminal)
    return store.jobs[job_id].state.status


@virtual
async def test_a_job_whose_steps_pass_is_completed() -> None:
    store = FakeStore()
    claim = await claimed(store)

    async with running(workshop(store), claim):
        status = await until_over(store, claim.job_id)

    assert status is JobStatus.COMPLETED


@virtual
async def test_nothing_is_left_of_the_box_when_the_job_is_over() -> None:
    store = FakeStore()
    shop = workshop(store)
    claim = await claimed(store)

    async with running(shop, claim):
        await until_over(store, claim.job_id)

    assert isinstance(shop.sandbox, FakeSandbox)
    assert shop.sandbox.orders
    assert not shop.sandbox.open


@virtual
async def test_a_job_without_a_toolchain_ends_without_a_box() -> None:
    store = FakeStore()
    shop = workshop(store)
    claim = await claimed(store, {"README.md": b"hello"})

    async with running(shop, claim):
        status = await until_over(store, claim.job_id)

    assert status is JobStatus.FAILED
    assert isinstance(shop.sandbox, FakeSandbox)
    assert not shop.sandbox.orders


@virtual
async def test_a_box_killed_from_outside_leaves_the_job_to_its_lease() -> None:
    store = FakeStore()
    claim = await claimed(store)

    async with running(workshop(store, [killed]), claim):
        await settle()

    assert store.jobs[claim.job_id].state.status is JobStatus.PROCESSING
    assert "finish" not in store.calls
    assert "release" not in store.calls


@virtual
async def test_a_sandbox_that_cannot_start_leaves_the_job_to_its_lease() -> None:
    store = FakeStore()
    shop = workshop(store)
    assert isinstance(shop.sandbox, FakeSandbox)
    shop.sandbox.away = True
    claim = await claimed(store)

    async with running(shop, claim):
        await settle()

    assert store.jobs[claim.job_id].state.status is JobStatus.PROCESSING


@virtual
async def test_a_runner_told_to_stop_puts_its_job_back_when_its_grace_is_over() -> None:
    store = FakeStore()
    shop = workshop(store, [endless])
    claim = await claimed(store)

    async with running(shop, claim):
        await settle()

    state = store.jobs[claim.job_id].state
    assert (state.status, state.runs) == (JobStatus.PENDING, 0)
    assert isinstance(shop.sandbox, FakeSandbox)
    assert not shop.sandbox.open


@virtual
async def test_the_lease_is_renewed_while_the_job_runs() -> None:
    store = FakeStore()
    claim = await claimed(store)

    async with running(workshop(store, [endless]), claim):
        await until(lambda: store.calls.get("renew", 0) == 3)
        took_s = now_s()

    assert 3 * RENEW_S <= took_s < 4 * RENEW_S


@virtual
async def test_a_fenced_runner_ends_its_box_and_changes_nothing() -> None:
    store = FakeStore()
    shop = workshop(store, [endless])
    claim = await claimed(store)
    assert isinstance(shop.sandbox, FakeSandbox)

    async with running(shop, claim):
        await shop.sandbox.started.wait()
        store.jobs[claim.job_id].fence = Fence(2, "somebody else")
        boxes = shop.sandbox.open
        await until(lambda: not boxes)

    assert "release" not in store.calls
    assert store.jobs[claim.job_id].state.status is JobStatus.PROCESSING


@virtual
async def test_an_outcome_is_kept_until_the_store_is_back() -> None:
    store = FakeStore()
    claim = await claimed(store)
    store.away = True

    async with running(workshop(store), claim):
        await until(lambda: store.calls.get("finish", 0) == 3)
        store.away = False
        status = await until_over(store, claim.job_id)

    assert status is JobStatus.COMPLETED


@virtual
async def test_progress_is_told_as_steps_end() -> None:
    store = FakeStore()
    claim = await claimed(store)

    async with running(workshop(store), claim):
        await until_over(store, claim.job_id)

    told = [event.progress for event in store.streams[TESTS]]
    assert told == sorted(told)
    assert any(0 < percent < 100 for percent in told)
