"""Trees start in order, stop in reverse, and leave nothing behind however far they came."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import Actor, AlreadyStarted, ChildSpec, Ref, StartFailed, Strategy, run_tree
from tests.kernel.world import Boom, Crash, Pause, Running, World, grow, of, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual


@virtual
async def test_children_start_in_order_and_stop_in_reverse() -> None:
    world = World()
    running = await grow(tree(world.child("a"), tree(world.child("b"), world.child("c"), name="sub"), world.child("d")))

    assert world.take() == ["a up", "b up", "c up", "d up"]

    await running.stop()

    assert world.take() == ["d stops", "d down", "c stops", "c down", "b stops", "b down", "a stops", "a down"]


@virtual
async def test_next_child_starts_when_the_one_before_is_ready() -> None:
    world = World()
    world.start_s = {"a": 10}
    running = await grow(tree(world.child("a"), world.child("b")))

    assert world.take() == []

    await asyncio.sleep(10)
    assert world.take() == ["a up", "b up"]
    await running.stop()


@virtual
async def test_stop_does_not_wait_for_a_start_that_hangs() -> None:
    world = World()
    world.start_s = {"b": 1e9}
    running = await grow(tree(world.child("a"), tree(world.child("b", shutdown_s=5), name="sub"), world.child("c")))

    await running.stop()

    assert now_s() == 5
    assert world.take() == ["a up", "a stops", "a down"]


@virtual
async def test_partly_started_tree_is_fully_stopped() -> None:
    world = World()
    world.failing_starts = {"c": 1}
    sub = tree(world.child("b"), world.child("c"), name="sub")
    running = await grow(tree(world.child("a"), sub, world.child("d")))

    with pytest.raises(StartFailed, match="sub did not start") as failure:
        await running.over()

    assert world.take() == ["a up", "b up", "c fails", "b stops", "b down", "a stops", "a down"]
    assert isinstance(failure.value.__cause__, StartFailed)
    assert isinstance(failure.value.__cause__.__cause__, Boom)


@virtual
async def test_actor_that_cannot_be_built_is_a_failed_start() -> None:
    def build() -> Actor[object]:
        raise Boom

    running = await grow(tree(ChildSpec(Ref("a"), build)))

    with pytest.raises(StartFailed):
        await running.over()


@virtual
async def test_group_restart_interrupted_by_a_stop_starts_nobody() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), strategy=Strategy.ONE_FOR_ALL))
    world.stop_s = {"b": 3}
    world.take()

    await tell(world, "a", Crash())
    await running.stop()

    assert world.take() == ["a down", "b stops", "b down"]
    assert now_s() == 3


@virtual
async def test_crash_of_one_while_the_tree_stops_spends_nothing_and_restarts_nobody() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), max_restarts=0))
    world.stop_s = {"b": 3}
    world.take()

    await world.refs["a"].tell(Pause(1))
    await world.refs["a"].tell(Crash())
    await running.stop()

    assert world.take() == ["b stops", "a down", "b down"]


@virtual
async def test_cancelling_run_tree_stops_the_tree_in_order() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b")))
    world.stop_s = {"b": 3}
    world.take()

    running.cancel()
    await settle()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running.over()
    assert world.take() == ["b stops", "b down", "a stops", "a down"]
    assert now_s() == 3


@virtual
async def test_tree_told_to_stop_before_it_began_starts_nobody() -> None:
    world = World()
    running = Running(tree(*(world.child(name) for name in "abc")))

    await running.stop()

    assert world.take() == []
    assert all(ref.closed for ref in world.refs.values())


@virtual
async def test_tree_can_run_again_after_its_end_but_not_beside_itself() -> None:
    world = World()
    spec = tree(world.child("a"))
    running = await grow(spec)

    with pytest.raises(AlreadyStarted):
        await run_tree(spec, asyncio.Event())
    await running.stop()
    await (await grow(spec)).stop()

    assert of(world.take(), "up", "down") == ["a up", "a down", "a up", "a down"]


def test_two_children_cannot_share_an_address() -> None:
    world = World()
    child = world.child("a")

    with pytest.raises(ValueError, match="every child needs a Ref of its own"):
        tree(child, tree(child, name="sub"))


def test_two_siblings_cannot_share_a_name() -> None:
    world = World()

    with pytest.raises(ValueError, match="with a name of its own"):
        tree(world.child("a"), world.child("a"))
