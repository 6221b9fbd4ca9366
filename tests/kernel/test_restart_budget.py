"""How many restarts a supervisor may spend, what counts as one, and what comes after the last."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import RestartsExhausted, Strategy
from tests.kernel.world import Boom, Crash, Pause, World, grow, of, tell, tree
from tests.kit.virtual_time import now_s, virtual


@virtual
async def test_fourth_crash_within_sixty_seconds_escalates() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b")))
    for _ in range(3):
        await tell(world, "b", Crash())
        await asyncio.sleep(20 - 1e-6)
    world.take()

    await tell(world, "b", Crash())

    with pytest.raises(RestartsExhausted, match="root restarted children 3 times in 60 s") as failure:
        await running.over()
    assert isinstance(failure.value.__cause__, Boom)
    assert now_s() == 60
    assert world.take() == ["b down", "a stops", "a down"]


@virtual
async def test_fourth_crash_after_sixty_one_seconds_does_not_escalate() -> None:
    world = World()
    running = await grow(tree(world.child("a")))
    for _ in range(3):
        await tell(world, "a", Crash())
    await asyncio.sleep(61)

    await tell(world, "a", Crash())

    assert of(world.take(), "up") == ["a up"] * 5
    await running.stop()


@virtual
async def test_one_budget_is_for_all_children() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), max_restarts=1))

    await tell(world, "a", Crash())
    await tell(world, "b", Crash())

    with pytest.raises(RestartsExhausted):
        await running.over()


@virtual
async def test_supervisor_that_gives_up_is_restarted_by_its_own() -> None:
    world = World()
    running = await grow(tree(tree(world.child("a"), world.child("b"), name="sub", max_restarts=0), world.child("c")))
    world.take()

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "b stops", "b down", "a up", "b up"]
    await running.stop()


@virtual
async def test_budgets_multiply_over_levels_until_the_root_gives_up() -> None:
    world = World()
    sub = tree(world.child("a"), name="sub", max_restarts=2)
    running = await grow(tree(sub, max_restarts=1))

    for _ in range(6):
        await tell(world, "a", Crash())

    with pytest.raises(RestartsExhausted, match="root") as failure:
        await running.over()
    assert isinstance(failure.value.__cause__, RestartsExhausted)
    assert of(world.take(), "up") == ["a up"] * 6


@virtual
async def test_second_crash_during_a_group_restart_spends_one_restart_not_two() -> None:
    world = World()
    children = [world.child("a"), world.child("b"), world.child("c")]
    running = await grow(tree(*children, strategy=Strategy.ONE_FOR_ALL, max_restarts=1))
    world.stop_s = {"c": 5}
    world.take()

    # While c takes its time to stop, a crashes too; it is restarted with the group and its Exited is stale.
    await world.refs["a"].tell(Pause(1))
    await world.refs["a"].tell(Crash())
    await tell(world, "b", Crash())
    await asyncio.sleep(10)

    assert world.take() == ["b down", "c stops", "a down", "c down", "a up", "b up", "c up"]
    await running.stop()


@virtual
async def test_failed_restart_is_tried_again_and_counted() -> None:
    world = World()
    running = await grow(tree(world.child("a"), max_restarts=3))
    world.take()
    world.failing_starts = {"a": 2}

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "a fails", "a fails", "a up"]
    await tell(world, "a", Crash())
    with pytest.raises(RestartsExhausted):
        await running.over()


@virtual
async def test_child_that_never_restarts_exhausts_the_budget() -> None:
    world = World()
    running = await grow(tree(world.child("a"), max_restarts=3))
    world.failing_starts = {"a": 100}

    await tell(world, "a", Crash())

    with pytest.raises(RestartsExhausted):
        await running.over()
    assert world.failing_starts == {"a": 97}


@virtual
async def test_stop_gets_in_between_failing_restarts() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), max_restarts=1000))
    world.start_s, world.failing_starts = {"b": 1}, {"b": 1000}

    await tell(world, "b", Crash())
    await asyncio.sleep(2.5)
    world.take()
    await running.stop()

    assert now_s() == 3
    assert world.take() == ["b fails", "a stops", "a down"]
