"""How many restarts a supervisor has left. One budget for all its children. Source: OTP `supervisor:add_restart`."""

from __future__ import annotations

from collections import deque

import attrs


@attrs.define(eq=False)
class Budget:
    """At most `max_restarts` in any `period_s` seconds, both ends included."""

    max_restarts: int
    period_s: float
    _spent_at: deque[float] = attrs.field(factory=deque, init=False)

    def spend(self, now_s: float) -> bool:
        """Returns: whether there was a restart left, which is spent now."""
        while self._spent_at and now_s - self._spent_at[0] > self.period_s:
            self._spent_at.popleft()
        if len(self._spent_at) >= self.max_restarts:
            return False
        self._spent_at.append(now_s)
        return True
