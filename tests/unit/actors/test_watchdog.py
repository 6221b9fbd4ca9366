"""A watchdog shows that the loop turns, once a second."""

from __future__ import annotations

import asyncio

from chef_supervisor.actors.watchdog import Watchdog
from chef_supervisor.kernel import Ref
from chef_supervisor.vitals import Vitals
from tests.kit.recording import alone
from tests.kit.virtual_time import VirtualTimeLoop, now_s, virtual


@virtual
async def test_every_second_is_told() -> None:
    vitals, turns = Vitals(), list[float]()

    async with alone(Ref("watchdog"), lambda: Watchdog(vitals=vitals, on_turn=lambda: turns.append(now_s()))):
        await asyncio.sleep(3.5)

    assert turns == [0.0, 1.0, 2.0, 3.0]
    assert vitals.loop_lag_s(3.5) == 0.0


@virtual
async def test_a_loop_that_was_held_up_has_a_lag() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    vitals = Vitals()

    async with alone(Ref("watchdog"), lambda: Watchdog(vitals=vitals, on_turn=lambda: None)):
        await asyncio.sleep(2.5)
        loop.now_s += 7.0  # a busy loop, as the clock sees it
        await asyncio.sleep(2.5)

        assert 6.0 <= vitals.loop_lag_s(loop.time()) <= 7.0
