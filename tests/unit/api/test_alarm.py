from __future__ import annotations

import asyncio

from chef_supervisor.api.alarm import Alarm
from tests.kit.virtual_time import now_s, virtual


def _alarm() -> tuple[Alarm, list[float]]:
    rang: list[float] = []
    return Alarm(asyncio.get_running_loop(), lambda: rang.append(now_s())), rang


@virtual
async def test_rings_once_when_it_was_set_to() -> None:
    alarm, rang = _alarm()

    alarm.set(2.0)
    await asyncio.sleep(10.0)

    assert (rang, alarm.is_set) == ([2.0], False)


@virtual
async def test_the_last_time_it_was_set_counts_be_it_later_or_sooner() -> None:
    alarm, rang = _alarm()

    alarm.set(2.0)
    alarm.set(5.0)
    await asyncio.sleep(5.5)
    alarm.set(8.0)
    alarm.set(1.0)
    await asyncio.sleep(10.0)

    assert rang == [5.0, 6.5]


@virtual
async def test_does_not_ring_where_it_was_unset_or_closed() -> None:
    alarm, rang = _alarm()
    other, other_rang = _alarm()

    alarm.set(1.0)
    alarm.unset()
    other.set(1.0)
    other.close()
    await asyncio.sleep(2.0)
    alarm.set(1.0)
    await asyncio.sleep(2.0)

    assert (rang, other_rang) == ([3.0], [])
