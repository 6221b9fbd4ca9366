"""`Within`, in virtual time: as `asyncio.timeout`, with one timer for all."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import Within
from tests.kit.virtual_time import now_s, virtual


async def _late_after(timeout_s: float) -> float:
    with pytest.raises(TimeoutError):
        async with Within(timeout_s):
            await asyncio.sleep(60.0)
    return now_s()


@virtual
async def test_what_takes_too_long_is_cut_when_its_time_is_over() -> None:
    assert await _late_after(1.5) == 1.5


@virtual
async def test_what_is_done_in_time_is_left_alone_also_later() -> None:
    async with Within(1.0):
        await asyncio.sleep(0.5)

    await asyncio.sleep(5.0)


@virtual
async def test_each_of_many_has_its_own_time() -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_late_after(timeout_s)) for timeout_s in (3.0, 1.0, 2.0, 1.0)]

    assert [task.result() for task in tasks] == [3.0, 1.0, 2.0, 1.0]


@virtual
async def test_one_that_ended_does_not_take_the_time_of_those_that_follow() -> None:
    async with Within(1.0):
        await asyncio.sleep(0.9)

    assert await _late_after(1.0) == 1.9


@virtual
async def test_of_one_inside_another_the_shorter_is_over_first() -> None:
    async with Within(5.0):
        assert await _late_after(1.0) == 1.0
        await asyncio.sleep(1.0)


@virtual
async def test_the_outer_of_two_cuts_both() -> None:
    with pytest.raises(TimeoutError):
        async with Within(1.0), Within(5.0):
            await asyncio.sleep(60.0)

    assert now_s() == 1.0


@virtual
async def test_time_that_is_put_off_is_over_later() -> None:
    time = Within(1.0)
    asyncio.get_running_loop().call_at(0.5, lambda: time.put_off(0.5))

    with pytest.raises(TimeoutError):
        async with time:
            await asyncio.sleep(60.0)

    assert now_s() == 1.5


@virtual
async def test_who_is_cancelled_by_somebody_else_is_cancelled() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_at(1.0, task.cancel)

    with pytest.raises(asyncio.CancelledError):
        async with Within(1.0):
            await asyncio.sleep(60.0)
    task.uncancel()


@virtual
async def test_errors_of_what_is_done_come_out_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        async with Within(1.0):
            raise ZeroDivisionError
