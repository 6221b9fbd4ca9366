"""Who is restarted: by strategy of the supervisor and by kind of the child."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import Restart, RestartsExhausted, Strategy
from tests.kernel.world import Crash, End, Note, World, grow, tell, tree
from tests.kit.virtual_time import virtual


@pytest.mark.parametrize(
    ("strategy", "restarted"),
    [
        (Strategy.ONE_FOR_ONE, ["b up"]),
        (Strategy.REST_FOR_ONE, ["c stops", "c down", "b up", "c up"]),
        (Strategy.ONE_FOR_ALL, ["c stops", "c down", "a stops", "a down", "a up", "b up", "c up"]),
    ],
)
@virtual
async def test_each_strategy_restarts_exactly_its_group(strategy: Strategy, restarted: list[str]) -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), world.child("c"), strategy=strategy))
    world.take()

    await tell(world, "b", Crash())

    assert world.take() == ["b down", *restarted]
    await running.stop()


@pytest.mark.parametrize(
    ("strategy", "retried"),
    [
        (Strategy.REST_FOR_ONE, ["a up", "b fails", "b up", "c up"]),
        (Strategy.ONE_FOR_ALL, ["a up", "b fails", "a stops", "a down", "a up", "b up", "c up"]),
    ],
)
@virtual
async def test_later_siblings_wait_for_a_failed_group_restart(strategy: Strategy, retried: list[str]) -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), world.child("c"), strategy=strategy))
    world.take()
    world.failing_starts = {"b": 1}

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "c stops", "c down", "b stops", "b down", *retried]
    await running.stop()


@virtual
async def test_permanent_child_that_ends_normally_is_restarted_and_counted() -> None:
    world = World()
    running = await grow(tree(world.child("a"), max_restarts=1))

    await tell(world, "a", End())

    assert world.take() == ["a up", "a stops", "a down", "a up"]
    await tell(world, "a", End())
    with pytest.raises(RestartsExhausted):
        await running.over()


@virtual
async def test_transient_child_is_restarted_only_after_a_crash() -> None:
    world = World()
    running = await grow(tree(world.child("a", Restart.TRANSIENT)))

    await tell(world, "a", Crash())
    assert world.take() == ["a up", "a down", "a up"]

    await tell(world, "a", End())
    assert world.take() == ["a stops", "a down"]
    assert world.refs["a"].closed
    await running.stop()


@virtual
async def test_transient_child_that_was_killed_while_ending_is_restarted() -> None:
    world = World()
    world.stop_s = {"a": 10}
    running = await grow(tree(world.child("a", Restart.TRANSIENT, shutdown_s=5)))

    await tell(world, "a", End())
    await asyncio.sleep(5)

    assert world.take() == ["a up", "a stops", "a down", "a up"]
    world.stop_s = {}
    await running.stop()


@virtual
async def test_transient_child_that_ended_comes_back_with_its_group() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b", Restart.TRANSIENT), strategy=Strategy.REST_FOR_ONE))
    await tell(world, "b", End())
    world.take()

    await tell(world, "a", Crash())
    await tell(world, "b", Note("lives"))

    assert world.take() == ["a down", "a up", "b up", "b lives"]
    await running.stop()


@virtual
async def test_temporary_child_is_never_restarted() -> None:
    world = World()
    running = await grow(tree(world.child("a", Restart.TEMPORARY), max_restarts=0))

    await tell(world, "a", Crash())

    assert world.take() == ["a up", "a down"]
    assert world.refs["a"].closed
    await running.stop()


@virtual
async def test_temporary_child_is_dropped_when_a_siblings_death_takes_it() -> None:
    world = World()
    children = [world.child("a"), world.child("b", Restart.TEMPORARY), world.child("c")]
    running = await grow(tree(*children, strategy=Strategy.ONE_FOR_ALL))
    world.take()

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "c stops", "c down", "b stops", "b down", "a up", "c up"]
    assert world.refs["b"].closed
    await running.stop()


@virtual
async def test_temporary_child_comes_back_with_a_new_supervisor() -> None:
    world = World()
    sub = tree(world.child("a", Restart.TEMPORARY), world.child("b"), name="sub", max_restarts=0)
    running = await grow(tree(sub))
    await tell(world, "a", Crash())
    world.take()

    await tell(world, "b", Crash())
    await tell(world, "a", Note("lives"))

    assert world.take() == ["b down", "a up", "b up", "a lives"]
    await running.stop()
