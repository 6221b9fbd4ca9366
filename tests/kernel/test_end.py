"""How incarnations end: by their own will, by a crash, by a deadline, by a stray cancellation."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import (
    KILL_GRACE_S,
    Actor,
    ChildSpec,
    Crashed,
    Down,
    DynamicSpec,
    Ref,
    Restart,
    RestartsExhausted,
    StartChild,
)
from tests.kernel.world import Boom, Crash, End, Note, Pause, World, grow, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual


@virtual
async def test_ctx_stop_ends_the_actor_after_the_message_being_handled() -> None:
    class Once(Actor[str]):
        async def receive(self, message: object) -> None:
            self.ctx.stop()
            await asyncio.sleep(1)
            handled.append(message)

        async def on_stop(self) -> None:
            handled.append("stops")

    handled: list[object] = []
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, Once, Restart.TEMPORARY)))

    await ref.tell("1")
    await ref.tell("2")
    await asyncio.sleep(5)

    assert handled == ["1", "stops"]
    await running.stop()


@virtual
async def test_stop_left_unread_by_a_crash_does_not_end_the_next_incarnation() -> None:
    class StopsAndCrashes(Actor[str]):
        async def on_start(self) -> None:
            starts.append(now_s())

        async def receive(self, message: object) -> None:
            self.ctx.stop()
            raise Boom

    starts: list[float] = []
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, StopsAndCrashes), max_restarts=1))

    await ref.tell("x")
    await asyncio.sleep(1)

    assert starts == [0, 0]
    assert ref.running
    await running.stop()


@virtual
async def test_on_stop_is_not_run_after_a_crash() -> None:
    world = World()
    running = await grow(tree(world.child("a", Restart.TEMPORARY)))

    await tell(world, "a", Crash())

    assert world.take() == ["a up", "a down"]
    await running.stop()


@pytest.mark.parametrize("by_itself", [True, False])
@virtual
async def test_on_stop_is_cancelled_when_shutdown_s_has_passed(by_itself: bool) -> None:
    world = World()
    world.stop_s = {"a": 100}
    running = await grow(tree(world.child("a", Restart.TEMPORARY, shutdown_s=5)))

    if by_itself:
        await tell(world, "a", End())
        await asyncio.sleep(5)
        assert world.take() == ["a up", "a stops", "a down"]
    await running.stop()

    assert now_s() == 5


@virtual
async def test_message_that_takes_longer_than_shutdown_s_is_cancelled() -> None:
    world = World()
    running = await grow(tree(world.child("a", shutdown_s=5)))
    await tell(world, "a", Pause(100))

    await running.stop()

    assert now_s() == 5
    assert world.take() == ["a up", "a down"]


@virtual
async def test_actor_with_no_time_to_stop_is_cancelled_at_once() -> None:
    world = World()
    running = await grow(tree(world.child("a", shutdown_s=0)))
    await tell(world, "a", Pause(100))

    await running.stop()

    assert now_s() == 0


@virtual
async def test_supervisors_wait_for_their_children_as_long_as_those_may_take() -> None:
    world = World()
    world.stop_s = {"a": 100}
    running = await grow(tree(tree(tree(world.child("a", shutdown_s=1000), name="inner"), name="outer")))

    await running.stop()

    assert now_s() == 100


@virtual
async def test_actor_that_a_stray_cancellation_ends_has_crashed() -> None:
    class AwaitsCancelled(Actor[str]):
        async def on_start(self) -> None:
            starts.append(now_s())

        async def receive(self, message: object) -> None:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    starts: list[float] = []
    ref, watcher = Ref[str]("a"), Ref[Down]("watcher")
    running = await grow(tree(ChildSpec(ref, AwaitsCancelled, Restart.TRANSIENT)))
    ref.watch(watcher)

    await ref.tell("x")
    reason = (await watcher.mailbox.get()).message.reason
    await settle()

    assert isinstance(reason, Crashed)
    assert isinstance(reason.error, asyncio.CancelledError)
    assert starts == [0, 0]
    await running.stop()


@virtual
async def test_actor_without_receive_crashes_at_its_first_message() -> None:
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, Actor[str]), max_restarts=0))

    await ref.tell("x")

    with pytest.raises(RestartsExhausted) as failure:
        await running.over()
    assert isinstance(failure.value.__cause__, NotImplementedError)


@virtual
async def test_supervisor_that_is_cancelled_from_outside_orphans_nobody() -> None:
    world = World()
    running = await grow(tree(tree(world.child("a"), name="sub"), world.child("b")))
    world.take()

    (supervisor,) = [task for task in asyncio.all_tasks() if task.get_name() == "root.sub"]
    supervisor.cancel()
    await settle()

    assert world.take() == ["a stops", "a down", "a up"]
    await tell(world, "a", Note("lives"))
    await running.stop()


@virtual
async def test_cleanup_after_a_kill_is_not_cancelled_again() -> None:
    class CleansUp(Actor[str]):
        async def receive(self, message: object) -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(KILL_GRACE_S - 1)
                cleaned.append(now_s())

    cleaned: list[float] = []
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, CleansUp, shutdown_s=2)))

    await ref.tell("x")
    await settle()
    await running.stop()

    assert cleaned == [2 + KILL_GRACE_S - 1]


@virtual
async def test_earlier_of_two_deadlines_counts() -> None:
    world = World()
    world.stop_s = {"a": 100}
    dynamic = DynamicSpec(Ref("dynamic"), shutdown_s=2)
    running = await grow(tree(dynamic))
    await dynamic.ref.ask(StartChild(world.child("a", shutdown_s=50)), timeout_s=1)
    await tell(world, "a", End())

    await running.stop()

    assert now_s() == 2
