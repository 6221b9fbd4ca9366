"""A sandbox that is looked at now and then while nobody starts a box in it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.watched import WatchedSandbox
from tests.kit.fake_sandbox import FakeSandbox
from tests.kit.virtual_time import now_s, virtual


@pytest.fixture
def fake() -> FakeSandbox:
    return FakeSandbox()


@pytest.fixture
def watched(fake: FakeSandbox) -> WatchedSandbox:
    return WatchedSandbox(fake)


def trouble_of(watched: WatchedSandbox) -> str:
    return watched.trouble or ""


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.__dict__["event"]) for record in caplog.records if "event" in record.__dict__]


@virtual
async def test_a_ping_now_and_then_finds_trouble_while_nobody_starts_a_box(
    fake: FakeSandbox, watched: WatchedSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watched.keep_watch(5))
        await asyncio.sleep(12)
        assert (fake.pings, fake.probes) == (2, 0)
        fake.away = True
        await asyncio.sleep(3.5)
        assert trouble_of(watched) == str(SandboxUnavailable("made to fail"))
        await asyncio.sleep(60)
        assert not watch.done()
        fake.away = False
        await watch

    assert now_s() < 12 + 3.5 + 60 + 16
    assert not trouble_of(watched)
    assert events(caplog) == [(logging.WARNING, "sandbox.away"), (logging.INFO, "sandbox.back")]


@virtual
async def test_a_ping_that_hangs_is_trouble(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watched.keep_watch(5))
        fake.hangs = True
        await asyncio.sleep(10.5)
        assert "5 s" in trouble_of(watched)
        fake.hangs = False
        await watch


@virtual
async def test_a_ping_does_not_end_trouble(watched: WatchedSandbox) -> None:
    """An engine with a full disk answers pings."""

    class Full(FakeSandbox):
        async def ping(self) -> None:
            self.pings += 1

    fake = Full(away=True)
    watched = WatchedSandbox(fake)
    assert await watched.is_away()

    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watched.keep_watch(5))
        await asyncio.sleep(100)
        assert trouble_of(watched)
        fake.away = False
        await watch

    assert not trouble_of(watched)
    assert fake.pings == 0


@virtual
async def test_a_probe_that_is_under_way_does_for_a_ping(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watched.keep_watch(5))
        await asyncio.sleep(4.95)
        fake.away = True

        assert await watched.is_away()
        await asyncio.sleep(0.5)

        assert fake.pings == 0
        fake.away = False
        await watch


@virtual
async def test_a_ping_that_passed_clears_no_box_that_was_spoilt(fake: FakeSandbox, watched: WatchedSandbox) -> None:
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watched.keep_watch(5))
        await asyncio.sleep(5.1)
        assert fake.pings == 1
        fake.away = True

        assert await watched.is_away()

        fake.away = False
        await watch
