"""Dynamic supervisors: acknowledged starts, refusals, and a stop in parallel."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chef_supervisor.kernel import (
    KILL_GRACE_S,
    ActorGone,
    AlreadyStarted,
    Children,
    ChildSpec,
    ChildStuck,
    DynamicSpec,
    Gone,
    Ref,
    Restart,
    StartChild,
    StartChildren,
    StartFailed,
    Strategy,
)
from tests.kernel.stubborn import Stubborn
from tests.kernel.world import Boom, Crash, Echo, End, Note, Pause, World, grow, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual


def _dynamic(max_children: int | None = None, shutdown_s: float = 5) -> DynamicSpec:
    return DynamicSpec(Ref("dynamic"), max_children, shutdown_s)


async def _start(dynamic: DynamicSpec, *children: ChildSpec) -> None:
    for child in children:
        await dynamic.ref.ask(StartChild(child), timeout_s=999)


@virtual
async def test_start_is_acknowledged_when_the_child_is_ready() -> None:
    world, dynamic = World(), _dynamic()
    world.start_s = {"a": 3}
    running = await grow(tree(dynamic))

    await _start(dynamic, world.child("a"))

    assert now_s() == 3
    assert world.take() == ["a up"]
    await running.stop()


@virtual
async def test_child_that_fails_to_start_is_a_refusal() -> None:
    world, dynamic = World(), _dynamic()
    world.failing_starts = {"a": 1}
    running = await grow(tree(dynamic, max_restarts=0))

    with pytest.raises(StartFailed, match="a did not start") as failure:
        await _start(dynamic, world.child("a"))

    assert isinstance(failure.value.__cause__, Boom)
    assert world.refs["a"].closed
    await running.stop()


@pytest.mark.parametrize("order", [Crash(), End()])
@virtual
async def test_child_is_not_restarted_however_it_ends(order: Crash | End) -> None:
    world, dynamic = World(), _dynamic()
    running = await grow(tree(dynamic, max_restarts=0))
    await _start(dynamic, world.child("a", Restart.PERMANENT))

    await tell(world, "a", order)

    assert [event for event in world.take() if "stops" not in event] == ["a up", "a down"]
    assert world.refs["a"].closed
    await running.stop()


@virtual
async def test_address_in_use_is_refused_and_its_actor_left_alone() -> None:
    world, dynamic = World(), _dynamic(max_children=1)
    child = world.child("a")
    running = await grow(tree(dynamic))
    await _start(dynamic, child)

    with pytest.raises(AlreadyStarted, match="a is already running"):
        await _start(dynamic, child)

    await tell(world, "a", Note("lives"))
    assert world.take() == ["a up", "a lives"]
    await running.stop()


@virtual
async def test_address_can_be_used_again_after_its_child_ended() -> None:
    world, dynamic = World(), _dynamic()
    child = world.child("a")
    running = await grow(tree(dynamic))
    await _start(dynamic, child)
    await tell(world, "a", End())

    await _start(dynamic, child)
    await tell(world, "a", Note("lives"))

    assert world.take() == ["a up", "a stops", "a down", "a up", "a lives"]
    await running.stop()


@virtual
async def test_more_children_than_allowed_are_refused_until_one_ends() -> None:
    world, dynamic, watcher = World(), _dynamic(max_children=2), Ref[Any]("watcher")
    running = await grow(tree(dynamic))
    await _start(dynamic, world.child("a"), world.child("b"))
    third = world.child("c")
    third.ref.watch(watcher)

    with pytest.raises(StartFailed, match="2 children, its limit"):
        await _start(dynamic, third)

    assert (await watcher.mailbox.get()).message.reason == Gone()
    await tell(world, "a", Crash())
    await _start(dynamic, third)
    assert world.take() == ["a up", "b up", "a down", "c up"]
    await running.stop()


@virtual
async def test_children_stop_in_parallel_under_one_timer() -> None:
    world, dynamic = World(), _dynamic(shutdown_s=5)
    world.stop_s = {"a": 4, "b": 4, "c": 100}
    running = await grow(tree(dynamic))
    await _start(dynamic, *(world.child(name, shutdown_s=50) for name in "abc"))
    world.take()

    await running.stop()

    assert now_s() == 5
    assert world.take() == ["a stops", "b stops", "c stops", "a down", "b down", "c down"]


@virtual
async def test_stuck_child_escalates_after_the_shared_timer() -> None:
    world, dynamic, release = World(), _dynamic(shutdown_s=5), asyncio.Event()
    running = await grow(tree(dynamic))
    await _start(dynamic, ChildSpec(Ref("stubborn"), lambda: Stubborn(release)), world.child("a"))

    with pytest.raises(ChildStuck, match=r"root\.dynamic\.stubborn"):
        await running.stop()

    assert now_s() == 5 + KILL_GRACE_S
    assert world.take() == ["a up", "a stops", "a down"]
    release.set()
    await settle()


@virtual
async def test_stop_does_not_wait_for_a_child_that_hangs_in_its_start() -> None:
    world, dynamic = World(), _dynamic(shutdown_s=5)
    world.start_s = {"b": 1e9}
    running = await grow(tree(dynamic))
    await _start(dynamic, world.child("a"))
    hanging = asyncio.create_task(_start(dynamic, world.child("b")))
    waiting = asyncio.create_task(_start(dynamic, world.child("c")))
    await settle()

    await running.stop()

    with pytest.raises(StartFailed, match="is stopping"):
        await hanging
    with pytest.raises(ActorGone):
        await waiting
    assert now_s() == 5
    assert world.take() == ["a up", "a stops", "a down"]


@virtual
async def test_children_of_a_group_member_end_with_it() -> None:
    world, dynamic = World(), _dynamic()
    running = await grow(tree(dynamic, world.child("b"), strategy=Strategy.ONE_FOR_ALL))
    await _start(dynamic, world.child("a"))
    world.take()

    await tell(world, "b", Crash())

    assert world.take() == ["b down", "a stops", "a down", "b up"]
    assert world.refs["a"].closed
    await _start(dynamic, world.child("c"))
    await running.stop()


@virtual
async def test_questions_to_a_child_that_ends_fail() -> None:
    world, dynamic = World(), _dynamic()
    running = await grow(tree(dynamic))
    await _start(dynamic, world.child("a"))
    await tell(world, "a", Pause(1), Crash())

    with pytest.raises(ActorGone):
        await world.refs["a"].ask(Echo("x"), timeout_s=999)

    await running.stop()


@virtual
async def test_failed_start_leaves_nothing_behind() -> None:
    world, dynamic = World(), _dynamic(max_children=1)
    world.failing_starts = {"a": 1}
    running = await grow(tree(dynamic, max_restarts=0))
    with pytest.raises(StartFailed):
        await _start(dynamic, world.child("a"))

    await _start(dynamic, world.child("b"))

    assert await dynamic.ref.ask(Children(), timeout_s=1) == (world.refs["b"],)
    await running.stop()


@virtual
async def test_living_children_are_told_in_the_order_of_their_start() -> None:
    world, dynamic = World(), _dynamic()
    running = await grow(tree(dynamic))
    await _start(dynamic, world.child("a"), world.child("b"), world.child("c"))
    await tell(world, "b", Crash())

    assert await dynamic.ref.ask(Children(), timeout_s=1) == (world.refs["a"], world.refs["c"])

    await running.stop()


@virtual
async def test_address_tells_whether_a_start_that_nobody_waits_for_any_more_goes_on() -> None:
    world, dynamic = World(), _dynamic()
    world.start_s = {"a": 5, "b": 5}
    running = await grow(tree(dynamic))
    specs = [world.child("a"), world.child("b")]
    asks = [asyncio.create_task(dynamic.ref.ask(StartChild(spec), timeout_s=2)) for spec in specs]

    for ask in asks:
        with pytest.raises(TimeoutError):
            await ask

    # The first was in the middle of its start, the second was never executed.
    assert [spec.ref.running for spec in specs] == [True, False]
    await asyncio.sleep(10)
    assert world.take() == ["a up"]
    await running.stop()


@virtual
async def test_children_of_one_ask_start_together_and_one_that_fails_is_told_of_alone() -> None:
    world, dynamic = World(), _dynamic()
    world.start_s = {"a": 3, "c": 3}
    world.failing_starts = {"b": 1}
    running = await grow(tree(dynamic, max_restarts=0))

    answers = await dynamic.ref.ask(StartChildren(tuple(map(world.child, "abc"))), timeout_s=999)

    assert now_s() == 3
    assert [type(answer) for answer in answers] == [type(None), StartFailed, type(None)]
    assert await dynamic.ref.ask(Children(), timeout_s=1) == (world.refs["a"], world.refs["c"])
    await running.stop()
