"""A timer that is set and unset with every request, and costs next to nothing where it does not ring."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """
    Calls `ring` at the moment it was last set to.

    The loop's own timer is left alone meanwhile: where it comes too early, it is set to what is due then.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._due_at: float | None = None
        self._wakes_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether it is to ring."""
        return self._due_at is not None

    def set(self, in_s: float) -> None:
        """Let it ring in so many seconds, and at no other moment."""
        self._due_at = self._loop.time() + in_s
        if self._timer is None or self._wakes_at > self._due_at:
            self._sleep_until(self._due_at)

    def unset(self) -> None:
        """Let it not ring."""
        self._due_at = None

    def close(self) -> None:
        """Give the loop's timer back as well."""
        self._due_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sleep_until(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = at
        self._timer = self._loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self._due_at is None:
            return
        # A timer may come a moment early, by the clock that it is set by.
        if self._due_at > self._wakes_at:
            self._sleep_until(self._due_at)
        else:
            self._due_at = None
            self._ring()
