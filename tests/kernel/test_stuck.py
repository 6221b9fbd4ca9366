"""Children that eat their cancellation end the tree, after exactly their deadlines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chef_supervisor.kernel import KILL_GRACE_S, ChildSpec, ChildStuck, DynamicSpec, Ref, StartChild, Strategy
from tests.kernel.stubborn import Stubborn, StubbornHelper
from tests.kernel.world import Crash, World, grow, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual


@virtual
async def test_child_that_eats_cancel_gives_child_stuck_after_exactly_its_deadlines() -> None:
    world, release, ref = World(), asyncio.Event(), Ref[object]("stubborn")
    spec = tree(
        world.child("a"),
        tree(ChildSpec(ref, lambda: Stubborn(release), shutdown_s=7), name="sub"),
        world.child("b"),
    )
    running = await grow(spec)

    with pytest.raises(ChildStuck, match=r"root\.sub\.stubborn still runs 5 s"):
        await running.stop()

    assert now_s() == 7 + KILL_GRACE_S
    assert world.take() == ["a up", "b up", "b stops", "b down", "a stops", "a down"]
    release.set()
    await settle()


@virtual
async def test_stuck_child_in_a_group_restart_ends_the_tree() -> None:
    world, release, ref = World(), asyncio.Event(), Ref[object]("stubborn")
    stubborn = ChildSpec(ref, lambda: Stubborn(release), shutdown_s=7)
    sub = tree(world.child("a"), stubborn, world.child("b"), name="sub", strategy=Strategy.ONE_FOR_ALL)
    running = await grow(tree(sub, world.child("c")))
    world.take()

    await tell(world, "a", Crash())

    with pytest.raises(ChildStuck):
        await running.over()
    assert world.take() == ["a down", "b stops", "b down", "c stops", "c down"]
    release.set()
    await settle()


@virtual
async def test_crashed_actor_whose_helper_eats_cancel_is_stuck_too() -> None:
    release, ref = asyncio.Event(), Ref[Any]("a")
    running = await grow(tree(tree(ChildSpec(ref, lambda: StubbornHelper(release), shutdown_s=7), name="sub")))

    await ref.tell("crash")

    with pytest.raises(ChildStuck):
        await running.over()
    assert now_s() == 7 + KILL_GRACE_S
    release.set()
    await settle()


@virtual
async def test_actor_that_ends_by_itself_but_eats_cancel_is_stuck_too() -> None:
    release, ref = asyncio.Event(), Ref[Any]("a")
    dynamic = DynamicSpec(Ref("dynamic"))
    running = await grow(tree(dynamic))

    class EndsBadly(Stubborn):
        async def receive(self, message: object) -> None:
            self.ctx.stop()

    await dynamic.ref.ask(StartChild(ChildSpec(ref, lambda: EndsBadly(release), shutdown_s=7)), timeout_s=1)
    await ref.tell("end")

    with pytest.raises(ChildStuck):
        await running.over()
    assert now_s() == 7 + KILL_GRACE_S
    release.set()
    await settle()
