"""Cleaning up within bounds, of any sandbox; and how a thread undoes what nobody waits for."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.sandboxes.docker.handover import Handover
from chef_supervisor.sandboxes.leaving import finish
from tests.kit.virtual_time import now_s, virtual


async def cleanup(length_s: float) -> None:
    ends_at = now_s() + length_s

    async def wait() -> None:
        await asyncio.sleep(ends_at - now_s())

    done.append(await finish(wait, timeout_s=60, hurry_s=3))


done: list[bool] = []


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


async def working(cleanup_s: float) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await cleanup(cleanup_s)


@virtual
async def test_who_is_not_cancelled_takes_the_time_it_needs() -> None:
    await cleanup(50)
    await cleanup(70)

    assert done == [True, False]
    assert now_s() == 110


@pytest.mark.parametrize(("length_s", "took_s", "ended"), [(1, 1, True), (50, 3, False)])
def test_who_is_cancelled_cleans_up_in_a_hurry(length_s: float, took_s: float, ended: bool) -> None:
    @virtual
    async def cancel() -> None:
        task = asyncio.create_task(working(length_s))
        await asyncio.sleep(5)
        task.cancel()

        await asyncio.wait({task})

        assert task.cancelled()
        assert done == [ended]
        assert now_s() == 5 + took_s

    cancel()


@pytest.mark.parametrize(("length_s", "took_s"), [(6, 6), (50, 8)])
def test_who_is_cancelled_while_cleaning_up_has_little_time_left(length_s: float, took_s: float) -> None:
    @virtual
    async def cancel() -> None:
        task = asyncio.create_task(cleanup(length_s))
        await asyncio.sleep(5)
        task.cancel()

        await asyncio.wait({task})

        assert task.cancelled()
        assert now_s() == took_s

    cancel()


def test_what_is_made_in_time_is_the_callers() -> None:
    undone: list[str] = []
    handover = Handover()

    handover.hand("a box", lambda: undone.append("a box"))

    assert handover.give_up() == "a box"
    assert undone == []


def test_what_is_made_too_late_is_undone_where_it_was_made() -> None:
    undone: list[str] = []
    handover = Handover()

    assert handover.give_up() is None
    handover.hand("a box", lambda: undone.append("a box"))

    assert undone == ["a box"]
