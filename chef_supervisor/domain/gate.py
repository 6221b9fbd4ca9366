"""How much one receiver may be asked at a time, and whether it may be asked at all. Pure bookkeeping."""

from __future__ import annotations

import math
from typing import Final

import attrs

from chef_supervisor.domain.breaker import Breaker

_REMEMBERED_S: Final = 900.0


@attrs.define(eq=False)
class Gate:
    """`limit`: so many tries at once. Times are of one clock, in seconds."""

    limit: int
    breaker: Breaker = attrs.field(factory=Breaker)
    _under_way: int = 0
    _used_at_s: float = -math.inf

    def free(self, now_s: float) -> int:
        """Returns: how many tries may begin now."""
        return self.breaker.allows(max(0, self.limit - self._under_way), now_s)

    def begin(self, now_s: float) -> int:
        """Returns: the breaker's ticket of a try that begins now."""
        self._under_way += 1
        self._used_at_s = now_s
        return self.breaker.begin(now_s)

    def end(self, ticket: int, now_s: float) -> None:
        """A try is over, whether it was answered or not."""
        self._under_way -= 1
        self._used_at_s = now_s
        self.breaker.abandoned(ticket)

    def wait_s(self, now_s: float) -> float:
        """Returns: when to look again where none is free: infinite where a try that ends will say so."""
        until_s = self.breaker.until_s
        return until_s - now_s if until_s is not None and until_s > now_s else math.inf

    def forgettable(self, now_s: float) -> bool:
        """Whether it is as good as new: not used for longer than any pause grows by itself."""
        return not self._under_way and max(self._used_at_s, self.breaker.until_s or 0.0) + _REMEMBERED_S < now_s
