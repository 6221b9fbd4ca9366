"""What one writes to have an actor: a class with a `receive`, which handles one message at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from chef_supervisor.kernel.messages import Down, Ended, Stop

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from chef_supervisor.kernel.ref import Ref

M_contra = TypeVar("M_contra", contravariant=True)
T = TypeVar("T")


class Context:
    """
    What an incarnation knows of itself.

    Attributes:
        ref: its own address.
        path: names from the root down, with dots; the name of its logger.
        stopping: done as soon as it is to end; long work may look at it. Never awaited bare: that could cancel it.
    """

    def __init__(self, ref: Ref[Any], path: str, group: asyncio.TaskGroup) -> None:
        self.ref = ref
        self.path = path
        self.stopping: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()
        self._group = group
        self._helpers: dict[asyncio.Task[Any], None] = {}
        # Where one crashed, the group cancelled all others.
        self._crashed = False

    def spawn(self, coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """
        Run `coro` beside the actor, as part of it: if it raises, the actor dies; when the actor ends, it is cancelled.

        Raises:
            RuntimeError: the actor is dying already.
        """
        helper = self._group.create_task(coro, name=f"{self.path}:{name}")
        self._helpers[helper] = None
        helper.add_done_callback(self._forget)
        return helper

    def stop(self) -> None:
        """End in order after the message that is being handled; unread ones stay for the next incarnation, if any."""
        self.request(Stop(Ended()))

    def request(self, stop: Stop) -> None:
        """Ask the incarnation to end. The first request counts."""
        if not self.stopping.done():
            self.stopping.set_result(stop)
            # Wakes the reader. That it must end is said by `stopping`, which is the incarnation's own: a Stop that a
            # crash left unread cannot end the next one.
            self.ref.notify(stop)

    def cancel_helpers(self) -> None:
        """Begin the end of what `spawn` started."""
        # Those that are ending already, because another one crashed, must not be torn out of their own cleanup. Not
        # asked of the task: a deadline of its own that passes in this turn of the loop has cancelled it as well.
        if not self._crashed:
            for helper in tuple(self._helpers):
                helper.cancel()

    def _forget(self, helper: asyncio.Task[Any]) -> None:
        del self._helpers[helper]
        if not helper.cancelled() and helper.exception() is not None:
            self._crashed = True


class Actor(Generic[M_contra]):
    """
    Concurrent state with one owner. An exception from any method ends the incarnation, its supervisor logs it and may
    start another; only a Refusal raised while answering an ask is an answer instead.
    """

    ctx: Context

    async def on_start(self) -> None:
        """Get ready; the next sibling starts when this returned."""

    async def receive(self, message: M_contra | Down) -> object:
        """
        Handle one message. System messages come first.

        Returns: the answer, if it was asked.
        """
        raise NotImplementedError

    async def on_stop(self) -> None:
        """
        Finish in an orderly stop, and only there: a crash does not come by.

        Helpers still run and may be awaited. `shutdown_s` after the stop was asked for, the actor is cancelled.
        """

    async def on_exit(self) -> None:
        """Supervisors end their children here, however they end themselves. Ordinary actors leave it alone."""
