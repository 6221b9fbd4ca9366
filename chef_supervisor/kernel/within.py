"""`asyncio.timeout` for the many: all that run in one loop share one timer, for nearly none of them ever runs out."""

from __future__ import annotations

import asyncio
import math
import threading
from types import TracebackType
from typing import Self


class Within:
    """
    As `asyncio.timeout`: cancels what is done inside once the time is over, and raises TimeoutError out of the block.

    For what is done thousands of times a second, where a timer each would cost more than the work.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._expired = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            msg = "only a task can be given a time"
            raise RuntimeError(msg)
        self._task, self._cancels = task, task.cancelling()
        self._watch = _watch()
        self.due_at = self._watch.loop.time() + self._timeout_s
        self._watch.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watch.running.discard(self)
        # Where somebody else cancelled the task too, it is theirs.
        if self._expired and self._task.uncancel() <= self._cancels and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def put_off(self, by_s: float) -> None:
        """Give it so much more time."""
        self.due_at += by_s

    def expire(self) -> None:
        """Cancel what is done inside."""
        self._expired = True
        self._task.cancel()


class _Watch:
    """The one timer of a loop. It is left where it is when a block ends: what is due is looked at when it comes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.running: set[Within] = set()
        self._wakes_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, one: Within) -> None:
        self.running.add(one)
        if one.due_at < self._wakes_at:
            self._sleep_until(one.due_at)

    def _sleep_until(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = at
        self._timer = self.loop.call_at(at, self._wake) if at < math.inf else None

    def _wake(self) -> None:
        # A timer may come a moment early, by the clock that it is set by.
        now = max(self.loop.time(), self._wakes_at)
        for one in [one for one in self.running if one.due_at <= now]:
            self.running.discard(one)
            one.expire()
        self._sleep_until(min((one.due_at for one in self.running), default=math.inf))


_here = threading.local()


def _watch() -> _Watch:
    """Returns: that of the running loop; a thread runs one at a time."""
    loop = asyncio.get_running_loop()
    watch: _Watch | None = getattr(_here, "watch", None)
    if watch is None or watch.loop is not loop:
        watch = _here.watch = _Watch(loop)
    return watch
