"""The clock of an incarnation that has to end: first it is cancelled, then it counts as stuck."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds that a cancelled actor has to clean up. asyncio cannot kill: after that only the end of the process helps.
KILL_GRACE_S: Final = 5.0


class Deadline:
    """
    Calls `cancel` once, `KILL_GRACE_S` later `give_up`, unless cleared before.

    Attributes:
        passed: whether `cancel` was called.
    """

    def __init__(self, cancel: Callable[[], object], give_up: Callable[[], object]) -> None:
        self.passed = False
        self._cancel = cancel
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None
        self._at = math.inf

    def within(self, delay_s: float) -> None:
        """Be over in `delay_s` seconds; of several calls the earliest deadline counts, and infinity is none."""
        loop = asyncio.get_running_loop()
        at = loop.time() + delay_s
        if at < self._at:
            self.clear()
            self._at = at
            self._timer = loop.call_at(at, self._pass)

    def clear(self) -> None:
        """Disarm."""
        if self._timer is not None:
            self._timer.cancel()

    def _pass(self) -> None:
        # No later call gets past `within` now, for this deadline stays the earliest: a second cancel would break into
        # the cleanup that the first one began.
        self.passed = True
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(KILL_GRACE_S, self._give_up)
