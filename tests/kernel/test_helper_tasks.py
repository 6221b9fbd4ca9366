"""Tasks that an actor spawns: they live and die with it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from chef_supervisor.kernel import Actor, ChildSpec, Ref, Restart, RestartsExhausted
from tests.kernel.world import Boom, grow, tree
from tests.kit.virtual_time import now_s, settle, virtual


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


class Twins(Actor[str]):
    """Two helpers: one raises when told to, the other takes a while to clean up."""

    def __init__(self, done: list[str]) -> None:
        self.done = done

    async def on_start(self) -> None:
        self.ctx.spawn(self._clean(), name="clean")

    async def receive(self, message: object) -> None:
        self.ctx.spawn(self._raise(), name="raise")

    async def _raise(self) -> None:
        raise Boom

    async def _clean(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            self.done.append("clean")


@virtual
async def test_helper_that_cleans_up_is_not_cut_off_because_another_one_raised() -> None:
    done: list[str] = []
    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, lambda: Twins(done), restart=Restart.TEMPORARY)))

    await ref.tell("raise")
    await asyncio.sleep(2)

    assert done == ["clean"]
    await running.stop()


@virtual
async def test_helper_that_was_cancelled_and_went_on_ends_with_its_actor_nonetheless() -> None:
    class Deaf(Actor[str]):
        async def on_start(self) -> None:
            self.helper = self.ctx.spawn(self._wait_twice(), name="wait")

        async def receive(self, message: object) -> None:
            self.helper.cancel()

        async def _wait_twice(self) -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.Event().wait()

    ref = Ref[str]("a")
    running = await grow(tree(ChildSpec(ref, Deaf)))
    await ref.tell("cancel it")
    await settle()

    await running.stop()

    assert now_s() == 0
