"""Whether the sandbox works, as whoever waits for it sees it."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role, Sandbox
from chef_supervisor.sandboxes.watched import WatchedSandbox
from tests.kit.fake_sandbox import FakeSandbox
from tests.kit.virtual_time import now_s, settle, virtual

LIMITS = Limits(memory_bytes=1 << 20, cpus=1.0, pids=10, workspace_bytes=1 << 20)
ORDER = BoxOrder(name="chef-1-1", role=Role.JOB, limits=LIMITS)


@pytest.fixture
def fake() -> FakeSandbox:
    return FakeSandbox()


@pytest.fixture
def watched(fake: FakeSandbox) -> WatchedSandbox:
    return WatchedSandbox(fake)


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.__dict__["event"]) for record in caplog.records if "event" in record.__dict__]


@virtual
async def test_it_is_a_sandbox_like_the_one_inside(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    sandbox: Sandbox = watched

    async with sandbox.dependencies("a") as dependencies, sandbox.box(ORDER, dependencies):
        assert fake.open == {"deps a", ORDER.name}
    await sandbox.probe()
    await sandbox.ping()
    sandbox.belong_to("realm")
    left = Leftover(handle="x", kind=LeftoverKind.CONTAINER)
    fake.left = [left]
    assert list(await sandbox.leftovers()) == [left]
    await sandbox.remove(left)
    await sandbox.close()

    assert sandbox.name == fake.name
    assert not fake.open
    assert (fake.probes, fake.pings, fake.realm, fake.left) == (1, 1, "realm", [])


@virtual
async def test_nobody_waits_while_there_is_no_trouble(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    await watched.recovered()

    assert now_s() == 0
    assert fake.probes == 0
    assert watched.trouble is None


@virtual
async def test_a_sandbox_that_is_well_leaves_the_fault_with_the_job(
    fake: FakeSandbox, watched: WatchedSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    assert not await watched.is_away()

    assert watched.trouble is None
    assert fake.probes == 1
    assert not events(caplog)


@virtual
async def test_a_failed_probe_is_trouble_and_says_why(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    fake.away = True

    assert await watched.is_away()

    assert watched.trouble == str(SandboxUnavailable("made to fail"))


@virtual
async def test_a_probe_that_hangs_has_failed(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    fake.hangs = True

    assert await watched.is_away()

    assert now_s() == 10
    assert "10 s" in (watched.trouble or "")


@pytest.mark.parametrize("hangs", [True, False])
def test_who_asks_at_the_same_time_shares_one_probe(fake: FakeSandbox, watched: WatchedSandbox, hangs: bool) -> None:
    @virtual
    async def ask() -> None:
        fake.hangs = hangs

        answers = await asyncio.gather(*(watched.is_away() for _ in range(5)))

        assert answers == [hangs] * 5
        assert fake.probes == 1

    ask()


@virtual
async def test_a_probe_that_passed_just_now_counts(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    await watched.is_away()
    fake.away = True

    await asyncio.sleep(0.9)
    assert not await watched.is_away()
    await asyncio.sleep(0.2)
    assert await watched.is_away()

    assert fake.probes == 2


@virtual
async def test_a_probe_that_failed_just_now_does_not_count(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    fake.away = True
    await watched.is_away()
    fake.away = False

    assert not await watched.is_away()

    assert watched.trouble is None


@virtual
async def test_pauses_between_probes_grow_to_the_longest(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    fake.away = True
    await watched.is_away()
    asked_at, seen = [now_s()], fake.probes

    async with asyncio.TaskGroup() as group:
        waiter = group.create_task(watched.recovered())
        while len(asked_at) < 8:
            await asyncio.sleep(0.05)
            if fake.probes > seen:
                seen = fake.probes
                asked_at.append(now_s())
        fake.away = False
        await waiter

    pauses = [round(later - earlier) for earlier, later in itertools.pairwise(asked_at)]
    assert pauses == [1, 2, 4, 8, 15, 15, 15]


@virtual
async def test_many_wait_and_one_probes(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    fake.away = True
    await watched.is_away()

    async with asyncio.TaskGroup() as group:
        waiters = [group.create_task(watched.recovered()) for _ in range(5)]
        await asyncio.sleep(2)
        assert fake.probes == 2
        assert not any(waiter.done() for waiter in waiters)
        fake.away = False

    assert fake.probes == 3
    assert watched.trouble is None
    assert now_s() == pytest.approx(3.3)


@virtual
async def test_trouble_that_is_old_is_looked_at_without_a_pause(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    fake.away = True
    await watched.is_away()
    await asyncio.sleep(60)
    fake.away = False

    await watched.recovered()

    assert now_s() == pytest.approx(60.2)


@virtual
async def test_a_runners_probe_that_passes_ends_the_wait_of_all(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    watched = WatchedSandbox(fake, first_pause_s=15)
    fake.away = True
    await watched.is_away()

    async with asyncio.TaskGroup() as group:
        waiters = [group.create_task(watched.recovered()) for _ in range(2)]
        await settle()
        fake.away = False
        assert not await watched.is_away()
        await asyncio.wait(waiters)

    assert now_s() < 1


@virtual
async def test_a_runners_probe_does_not_wait_for_a_pause(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    watched = WatchedSandbox(fake, first_pause_s=15)
    fake.away = True
    await watched.is_away()

    async with asyncio.TaskGroup() as group:
        group.create_task(watched.recovered())
        await settle()
        assert await watched.is_away()
        assert now_s() < 1
        fake.away = False


@virtual
async def test_a_cancelled_prober_hands_the_probe_on(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    fake.hangs = True

    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(watched.is_away()) for _ in range(3)]
        await asyncio.sleep(5)
        fake.hangs = False
        asking[0].cancel()

    assert asking[0].cancelled()
    assert [asking[1].result(), asking[2].result()] == [False, False]
    assert fake.probes == 2


@pytest.mark.parametrize("after_s", [0.5, 1.05])
@pytest.mark.parametrize("which", [0, 1])
def test_a_cancelled_waiter_leaves_the_others_waiting(
    fake: FakeSandbox, watched: WatchedSandbox, after_s: float, which: int
) -> None:
    @virtual
    async def wait_together() -> None:
        fake.away = True
        await watched.is_away()

        async with asyncio.TaskGroup() as group:
            waiters = [group.create_task(watched.recovered()) for _ in range(3)]
            # In the middle of the pause, or of the probe.
            await asyncio.sleep(after_s)
            waiters[which].cancel()
            await settle()
            assert [waiter.done() for waiter in waiters] == [index == which for index in range(3)]
            fake.away = False

        assert sum(waiter.cancelled() for waiter in waiters) == 1
        assert watched.trouble is None

    wait_together()


@virtual
async def test_trouble_is_logged_when_it_begins_and_when_it_ends(
    fake: FakeSandbox, watched: WatchedSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    for _ in range(2):
        await asyncio.sleep(2)
        fake.away = True
        for _ in range(3):
            assert await watched.is_away()
        fake.away = False
        await watched.recovered()

    assert events(caplog) == [(logging.WARNING, "sandbox.away"), (logging.INFO, "sandbox.back")] * 2


@virtual
async def test_new_trouble_begins_with_the_first_pause_again(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    async def trouble_of(length_s: float) -> float:
        fake.away = True
        await asyncio.sleep(2)
        assert await watched.is_away()
        began_at = now_s()
        async with asyncio.TaskGroup() as group:
            group.create_task(watched.recovered())
            await asyncio.sleep(length_s)
            fake.away = False
        return now_s() - began_at

    await trouble_of(40)

    assert await trouble_of(0.5) == pytest.approx(1.1)
