"""A thread with an event loop and a store of its own, in which leases are renewed whatever the main loop is busy with."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import attrs

from chef_supervisor.leases.renewals import Renewals

P = ParamSpec("P")
T = TypeVar("T")


@attrs.define(eq=False)
class RenewalThread:
    """One life of it. `renewals` and its store are used in the thread alone."""

    renewals: Renewals
    _loop: asyncio.AbstractEventLoop = attrs.field(factory=asyncio.new_event_loop, init=False)
    _stopped: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    # Guards `_open`: the thread closes its loop while others call into it.
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _open: bool = attrs.field(default=True, init=False)
    # Appended to by others, taken from in the thread; both are one step of the interpreter.
    _later: deque[Callable[[], None]] = attrs.field(factory=deque, init=False)

    def __attrs_post_init__(self) -> None:
        """Have the renewals ask for what waits."""
        self.renewals.before_round = self._catch_up

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have the thread call it, in the order asked; not at all where the thread has ended. From any thread."""
        with self._lock:
            if self._open:
                self._loop.call_soon_threadsafe(self._do, partial(function, *args, **kwargs))

    def later(self, function: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """
        As `call`, but before the next `call` or round of renewals, and no sooner. From any thread.

        Waking the thread takes it and its caller longer than most of what it is told, and twice a job.
        """
        self._later.append(partial(function, *args, **kwargs))

    def stop(self) -> None:
        """Have it end: what is asked of Redis is given up. From any thread."""
        self.call(self._stopped.set)

    def run(self) -> None:
        """Renew until `stop`; this is the thread. Raises what ended the renewals."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._live())

    def _do(self, asked: Callable[[], object]) -> None:
        self._catch_up()
        asked()

    def _catch_up(self) -> None:
        while self._later:
            self._later.popleft()()

    async def _live(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(self.renewals.run(), name="renewals")
                stopping = group.create_task(self._stopped.wait(), name="stop")
                # An error of the renewals cancels the group by itself.
                stopping.add_done_callback(lambda _: renewing.cancel())
        finally:
            with self._lock:
                self._open = False
            await self.renewals.store.close()
