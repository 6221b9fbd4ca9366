"""Signs of life of this process, written by those who live and read by whoever reports on its health."""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

# A stall that is over is told of for so long, so that whoever asks every few seconds hears of it.
MEMORY_S: Final = 10.0


@attrs.define(eq=False)
class Vitals:
    """
    What is known of the event loop and of the dispatcher. Used from the main loop alone; times are its `time()`.

    Attributes:
        dispatched_at: when the dispatcher last handled a message of its own; None until it did, and where this process
            has none. It does so every second.
    """

    dispatched_at: float | None = None
    # When the loop should turn next, and how late it was before: (when, seconds late), oldest first.
    _due_at: float | None = attrs.field(default=None, init=False)
    _lags: deque[tuple[float, float]] = attrs.field(factory=deque, init=False)

    def turned(self, now: float, next_s: float) -> None:
        """Note that the loop turns, and that it will again in `next_s` seconds if nothing holds it up."""
        self._forget(now)
        self._lags.append((now, self._overdue_s(now)))
        self._due_at = now + next_s

    def loop_lag_s(self, now: float) -> float:
        """Returns: by how many seconds a timer was late at worst in the last ten seconds or so, also one not run yet."""
        self._forget(now)
        return max(self._overdue_s(now), *(late_s for _, late_s in self._lags), 0.0)

    def _overdue_s(self, now: float) -> float:
        return 0.0 if self._due_at is None else max(0.0, now - self._due_at)

    def _forget(self, now: float) -> None:
        while self._lags and self._lags[0][0] < now - MEMORY_S:
            self._lags.popleft()
