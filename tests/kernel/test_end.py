"""How incarnations end: on_stop, helpers, deadlines, and those who will not go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chef_supervisor.kernel import (
    KILL_GRACE_S,
    Actor,
    ChildSpec,
    ChildStuck,
    Crashed,
    Down,
    DynamicSpec,
    Ref,
    Restart,
    RestartsExhausted,
    StartChild,
    Strategy,
)
from tests.kernel.world import Boom, Crash, End, Note, Pause, World, grow, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual


class Stubborn(Actor[object]):
    """Eats its cancellation, until `release` is set; the test must set it, or it outlives the loop."""

    def __init__(self, release: asyncio.Event) -> None:
        self.release = release

    async def on_stop(self) -> None:
        await _insist(self.release)


class StubbornHelper(Actor[object]):
    """Has a helper that eats its cancellation."""

    def __init__(self, release: asyncio.Event) -> None:
        self.release = release

    async def on_start(self) -> None:
        self.ctx.spawn(_insist(self.release), name="stubborn")

    async def receive(self, message: object) -> None:
        raise Boom


async def _insist(release: asyncio.Event) -> None:
    while not release.is_set():
        try:
            await release.wait()
        except asyncio.CancelledError:
            continue


class Helped(Actor[str]):
    """Its helper works through a queue that on_stop waits for; "raise" makes the helper raise."""

    def __init__(self, done: list[str]) -> None:
        self.done = done
        self.queue = asyncio.Queue[str]()

    async def on_start(self) -> None:
        self.helper = self.ctx.spawn(self._work(), name="work")

    async def receive(self, message: object) -> None:
        self.queue.put_nowait(str(message))

    async def on_stop(self) -> None:
        await self.queue.join()
        self.done.append("drained")

    async def _work(self) -> None:
        try:
            while True:
                item = await self.queue.get()
                await asyncio.sleep(1)
                if item == "raise":
                    raise Boom
                self.done.append(item)
                self.queue.task_done()
        finally:
            self.done.append("helper ended")


@virtual
async def test_on_stop_runs_before_helpers_are_cancelled_and_may_await_them() -> None:
    done: list[str] = []
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, lambda: Helped(done))))
    for item in "123":
        await ref.tell(item)
    await settle()

    await running.stop()

    assert done == ["1", "2", "3", "drained", "helper ended"]
    assert now_s() == 3


@virtual
async def test_helper_that_raises_kills_its_actor() -> None:
    done: list[str] = []
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, lambda: Helped(done)), max_restarts=0))

    await ref.tell("raise")

    with pytest.raises(RestartsExhausted) as failure:
        await running.over()
    assert isinstance(failure.value.__cause__, Boom)
    assert done == ["helper ended"]


@virtual
async def test_helper_that_raises_while_stopping_ends_the_stop() -> None:
    done: list[str] = []
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, lambda: Helped(done))))
    await ref.tell("raise")
    await settle()

    await running.stop()

    assert done == ["helper ended"]
    assert now_s() == 1


@virtual
async def test_helper_bears_the_name_of_its_actor_and_ends_with_it() -> None:
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, lambda: Helped([]))))

    assert "root.a:work" in {task.get_name() for task in asyncio.all_tasks()}

    await running.stop()


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
async def test_helper_may_stop_an_actor_that_waits_for_mail() -> None:
    class Timed(Actor[str]):
        async def on_start(self) -> None:
            self.ctx.spawn(self._later(), name="later")

        async def _later(self) -> None:
            await asyncio.sleep(7)
            self.ctx.stop()

    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, Timed, Restart.TEMPORARY)))

    await asyncio.sleep(8)

    assert ref.closed
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
async def test_actor_and_helper_that_both_raise_are_both_told_of() -> None:
    class Twice(Actor[str]):
        async def receive(self, message: object) -> None:
            self.ctx.spawn(self._raise(), name="raise")
            try:
                await asyncio.sleep(9)
            finally:
                raise Boom

        async def _raise(self) -> None:
            raise KeyError

    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, Twice), max_restarts=0))

    await ref.tell("x")

    with pytest.raises(RestartsExhausted) as failure:
        await running.over()
    assert isinstance(failure.value.__cause__, BaseExceptionGroup)
    assert {type(error) for error in failure.value.__cause__.exceptions} == {Boom, KeyError}


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
