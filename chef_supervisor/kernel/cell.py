"""
One incarnation: a task that runs an actor from `build` to its end.

This is where the one failure rule lives: nothing is caught. Whatever ends the task is the reason, read from it when it
is done.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chef_supervisor.kernel.actor import Context
from chef_supervisor.kernel.deadline import KILL_GRACE_S, Deadline
from chef_supervisor.kernel.errors import ActorGone, ChildStuck, Refusal
from chef_supervisor.kernel.messages import Crashed, Killed, Reason, Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from chef_supervisor.kernel.actor import Actor
    from chef_supervisor.kernel.mailbox import Envelope
    from chef_supervisor.kernel.spec import ChildSpec


class Cell:
    """
    A running actor, as its supervisor sees it.

    Args:
        on_end: called once, when the incarnation has ended or is given up as stuck.

    Raises:
        AlreadyStarted: another incarnation lives at the address.
    """

    def __init__(self, spec: ChildSpec, path: str, on_end: Callable[[Cell], None]) -> None:
        spec.ref.occupy()
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.path = path
        self._on_end = on_end
        self._group = asyncio.TaskGroup()
        self._context = Context(spec.ref, path, self._group)
        self._started: asyncio.Future[bool] = loop.create_future()
        self._ended: asyncio.Future[Reason] = loop.create_future()
        self._task = loop.create_task(self._run(), name=path)
        self._task.add_done_callback(lambda task: self._end(self._reason(task)))
        self._deadline = Deadline(self._task.cancel, lambda: self._end(Crashed(ChildStuck(path, KILL_GRACE_S))))

    async def started(self, unless: asyncio.Future[Any]) -> bool:
        """
        Wait for the start to be acknowledged, but no longer than until `unless` is done.

        Returns: whether it was; if not and `unless` is not done, the start failed and `ended` has the reason.
        """
        # One of a batch that came up while another was waited for.
        if self._started.done():
            return self._started.result()
        # wait(), not await: being cancelled must not cancel a future that others wait for.
        await asyncio.wait({self._started, unless}, return_when=asyncio.FIRST_COMPLETED)
        return self._started.done() and self._started.result()

    async def ended(self) -> Reason:
        """Wait for the end. Returns: how it came; Crashed(ChildStuck) when it did not."""
        await asyncio.wait({self._ended})
        return self._ended.result()

    def stop(self, stop: Stop, shutdown_s: float) -> None:
        """Ask it to end, to be cancelled in `shutdown_s` seconds. No-op on what has ended."""
        if not self._ended.done():
            self._context.request(stop)
            self._deadline.within(shutdown_s)

    async def _run(self) -> None:
        async with self._group:
            actor = self.spec.build()
            actor.ctx = self._context
            try:
                await self._live(actor)
            finally:
                await actor.on_exit()
                self._context.cancel_helpers()

    async def _live(self, actor: Actor[Any]) -> None:
        try:
            await actor.on_start()
            self._acknowledge(started=True)
            await self._serve(actor)
        finally:
            # Crashed or stopping of its own accord, it has as long as if its supervisor had stopped it: a helper that
            # does not end would hide a crash for ever.
            self._deadline.within(self.spec.shutdown_s)
        await actor.on_stop()

    async def _serve(self, actor: Actor[Any]) -> None:
        while not self._context.stopping.done():
            envelope = await self.spec.ref.mailbox.get()
            if not isinstance(envelope.message, Stop):
                await self._handle(actor, envelope)
            # Neither line above need suspend: an actor that tells itself to go on would starve the whole process.
            await asyncio.sleep(0)

    async def _handle(self, actor: Actor[Any], envelope: Envelope) -> None:
        try:
            envelope.answer(await actor.receive(envelope.message))
        except Refusal as refusal:
            if envelope.reply is None:
                raise
            envelope.refuse(refusal)
        finally:
            # Still open only when something else was raised: the message is lost with this incarnation.
            envelope.refuse(ActorGone(self.spec.ref.name))

    def _reason(self, task: asyncio.Task[None]) -> Reason:
        if task.cancelled():
            return Killed() if self._deadline.passed else Crashed(asyncio.CancelledError())
        error = task.exception()
        if error is None:
            return self._context.stopping.result().reason
        # The group wraps even the single error of the actor itself; that wrapping says nothing.
        if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        return Crashed(error)

    def _acknowledge(self, *, started: bool) -> None:
        if not self._started.done():
            self._started.set_result(started)

    def _end(self, reason: Reason) -> None:
        # A stuck one that ends after all is too late: its supervisor has gone on without it.
        if self._ended.done():
            return
        self._deadline.clear()
        self._acknowledge(started=False)
        self._ended.set_result(reason)
        # Watchers hear of the end before the supervisor can start the next incarnation.
        self.spec.ref.vacate(reason)
        self._on_end(self)
