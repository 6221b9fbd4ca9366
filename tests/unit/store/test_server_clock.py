from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.store.server_clock import ServerClock

pytestmark = pytest.mark.asyncio


async def test_in_production_the_server_takes_its_own_time() -> None:
    assert ServerClock(None, 5).now() == ""


async def test_in_tests_the_time_is_told_and_nothing_is_late() -> None:
    clock = ServerClock(lambda: 17, 5)

    assert (clock.now(), clock.latest()) == ("17", "")


async def test_until_the_servers_time_is_known_everything_is_late() -> None:
    assert ServerClock(None, 5).latest() == "0"


async def test_the_latest_time_is_the_servers_and_the_patience() -> None:
    clock = ServerClock(None, 5)

    clock.learn(1_000_000)

    assert 1_005_000 <= int(clock.latest()) <= 1_005_000 + 60_000
    assert int(clock.latest()) - 1_005_000 <= (asyncio.get_running_loop().time() + 1) * 1000
