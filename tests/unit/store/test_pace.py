"""Flights that take as long as a disk does: they depart at a pace, so that nobody waits for the end of two."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from chef_supervisor.store.batching import Batcher
from tests.kit.virtual_time import now_s, run


@attrs.define(eq=False)
class Disk:
    """Answers at each full second what was sent before it, or at once; `flights` counts what was sent."""

    quick: bool = False
    flights: int = 0

    async def send(self, items: Sequence[int]) -> Sequence[int]:
        self.flights += 1
        if not self.quick:
            await asyncio.sleep(1 - asyncio.get_running_loop().time() % 1)
        return items


async def slowest_call_s(batcher: Batcher[int, int]) -> float:
    """Returns: the longest wait of a hundred callers a second."""

    async def call(number: int) -> float:
        await asyncio.sleep(number * 0.01)
        began = now_s()
        await batcher.call(number)
        return now_s() - began

    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call(number)) for number in range(300)]
    return max(call.result() for call in calls)


@pytest.mark.parametrize(("pace_s", "max_flights", "in_time"), [(0.05, 64, True), (0.0, 2, False)])
def test_nobody_waits_for_two_turns_of_the_disk(pace_s: float, max_flights: int, *, in_time: bool) -> None:
    disk = Disk()
    batcher: Batcher[int, int] = Batcher(disk.send, pace_s=pace_s, max_flights=max_flights)

    assert (run(slowest_call_s(batcher)) <= 1.05) == in_time
    # A hundred callers a second share twenty flights.
    assert disk.flights <= 63


def test_a_quick_disk_keeps_no_pace() -> None:
    disk = Disk(quick=True)
    batcher: Batcher[int, int] = Batcher(disk.send, pace_s=1000.0)

    assert run(slowest_call_s(batcher)) < 0.01
    assert disk.flights == 300


def test_a_flight_that_lands_lets_the_next_depart() -> None:
    """It need not wait for the pace, for nobody is under way."""
    landings = [asyncio.Event(), asyncio.Event()]
    sent: list[int] = []

    async def send(items: Sequence[int]) -> Sequence[int]:
        sent.extend(items)
        await landings[len(sent) - 1].wait()
        return items

    async def two() -> float:
        batcher: Batcher[int, int] = Batcher(send, pace_s=1000.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(batcher.call(1))
            await asyncio.sleep(1)
            group.create_task(batcher.call(2))
            await asyncio.sleep(1)
            assert sent == [1]
            landings[0].set()
            landings[1].set()
        return now_s()

    assert run(two()) == 2
