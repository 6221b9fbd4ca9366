"""Monitors: one Down per incarnation, and never none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chef_supervisor.kernel import Crashed, Down, Ended, Gone, Killed, Reason, Ref, Restart, StartFailed, Stopped
from tests.kernel.world import Boom, Crash, End, World, grow, tell, tree
from tests.kit.virtual_time import now_s, virtual


async def _heard(watcher: Ref[Any], count: int) -> list[Reason]:
    return [(await watcher.mailbox.get()).message.reason for _ in range(count)]


async def _nothing_more(watcher: Ref[Any]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1000):
            await watcher.mailbox.get()


@virtual
async def test_watch_before_the_start_yields_one_down() -> None:
    world, watcher = World(), Ref[Any]("watcher")
    spec = tree(world.child("a"))
    world.refs["a"].watch(watcher)
    running = await grow(spec)

    await running.stop()

    assert await _heard(watcher, 1) == [Stopped()]
    await _nothing_more(watcher)


@virtual
async def test_watch_during_life_yields_one_down() -> None:
    world, watcher = World(), Ref[Any]("watcher")
    running = await grow(tree(world.child("a", Restart.TEMPORARY)))

    world.refs["a"].watch(watcher)
    world.refs["a"].watch(watcher)
    await tell(world, "a", End())

    assert (await watcher.mailbox.get()).message == Down(world.refs["a"], Ended())
    await running.stop()
    await _nothing_more(watcher)


@virtual
async def test_watch_after_the_close_yields_one_down() -> None:
    world, watcher = World(), Ref[Any]("watcher")
    running = await grow(tree(world.child("a")))
    await running.stop()

    world.refs["a"].watch(watcher)

    assert await _heard(watcher, 1) == [Gone()]
    await _nothing_more(watcher)


@virtual
async def test_watch_of_one_that_is_never_started_yields_one_down() -> None:
    world, watcher = World(), Ref[Any]("watcher")
    world.failing_starts = {"a": 1}
    spec = tree(world.child("a"), world.child("b"))
    world.refs["b"].watch(watcher)

    with pytest.raises(StartFailed):
        await (await grow(spec)).over()

    assert await _heard(watcher, 1) == [Gone()]
    await _nothing_more(watcher)


@virtual
async def test_every_incarnation_yields_one_down_with_its_reason() -> None:
    world, watcher = World(), Ref[Any]("watcher")
    running = await grow(tree(world.child("a", shutdown_s=5), max_restarts=9))
    world.refs["a"].watch(watcher)

    await tell(world, "a", Crash())
    await tell(world, "a", End())
    world.stop_s = {"a": 10}
    await tell(world, "a", End())
    await asyncio.sleep(6)
    world.stop_s, world.failing_starts = {}, {"a": 1}
    await tell(world, "a", Crash())
    await running.stop()

    reasons = await _heard(watcher, 6)
    assert [type(reason) for reason in reasons] == [Crashed, Ended, Killed, Crashed, Crashed, Stopped]
    assert isinstance(reasons[0], Crashed)
    assert isinstance(reasons[0].error, Boom)
    await _nothing_more(watcher)


@virtual
async def test_down_survives_the_watchers_own_restart() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b")))
    world.refs["b"].watch(world.refs["a"])
    world.start_s = {"a": 5}
    await tell(world, "a", Crash())
    world.take()

    await tell(world, "b", End())
    await asyncio.sleep(5)

    assert world.take() == ["b stops", "b down", "a up", "a hears b Ended", "b up"]
    assert now_s() == 5
    await running.stop()


@virtual
async def test_watcher_that_is_closed_is_forgotten() -> None:
    world, watcher = World(), Ref[Any]("watcher")
    running = await grow(tree(world.child("a")))
    world.refs["a"].watch(watcher)
    watcher.close()

    await tell(world, "a", Crash())

    assert world.refs["a"]._watchers == {}
    await running.stop()
