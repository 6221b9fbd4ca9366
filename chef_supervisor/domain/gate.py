"""How much each receiver may be asked at a time, and whether it may be asked at all. Pure bookkeeping."""

from __future__ import annotations

import math
from typing import Final

import attrs

from chef_supervisor.domain.breaker import Breaker
from chef_supervisor.domain.delivery import Answer, Answered, ReceiverName

_REMEMBERED_S: Final = 900.0


@attrs.define(eq=False, kw_only=True)
class Gate:
    """
    `limit`: so many tries at once; where `careful`, one until it answers, and again after each failure: a stranger that
    is silent costs one connection. `used_at_s`: when it was last asked for. Times are of one clock, in seconds.
    """

    limit: int
    careful: bool = False
    used_at_s: float
    breaker: Breaker = attrs.field(factory=Breaker)
    _under_way: int = 0
    _answers: bool = False

    def free(self, now_s: float) -> int:
        """Returns: how many tries may begin now."""
        limit = 1 if self.careful and not self._answers else self.limit
        return self.breaker.allows(max(0, limit - self._under_way), now_s)

    def begin(self, now_s: float) -> int:
        """Returns: the breaker's ticket of a try that begins now."""
        self._under_way += 1
        self.used_at_s = now_s
        return self.breaker.begin(now_s)

    def answered(self, ticket: int, answer: Answer, now_s: float, chance: float) -> bool:
        """Returns: whether the breaker opened or closed by that answer to a try."""
        self._answers = answer.answered is not Answered.FAILED
        return self.breaker.answered(ticket, answer, now_s, chance)

    def end(self, ticket: int, now_s: float) -> None:
        """A try is over, whether it was answered or not."""
        self._under_way -= 1
        self.used_at_s = now_s
        self.breaker.abandoned(ticket)

    def wait_s(self, now_s: float) -> float:
        """Returns: when to look again where none is free: infinite where a try that ends will say so."""
        until_s = self.breaker.until_s
        return until_s - now_s if until_s is not None and until_s > now_s else math.inf

    def forgettable(self, now_s: float) -> bool:
        """Whether it is as good as new: not used for longer than any pause grows by itself."""
        return not self._under_way and max(self.used_at_s, self.breaker.until_s or 0.0) + _REMEMBERED_S < now_s


@attrs.define(eq=False)
class Gates:
    """The gates of all receivers that were asked something of late."""

    _of: dict[ReceiverName, Gate] = attrs.field(factory=dict)

    def known(self, name: ReceiverName) -> Gate | None:
        """Returns: None where nothing is known of it: it may be asked."""
        return self._of.get(name)

    def use(self, name: ReceiverName, limit: int, now_s: float, *, careful: bool = False) -> Gate:
        """Returns: its one gate. It is not forgotten while whoever asked for it takes what goes through."""
        gate = self._of.setdefault(name, Gate(limit=limit, careful=careful, used_at_s=now_s))
        gate.limit, gate.used_at_s = limit, now_s
        return gate

    def tidy(self, now_s: float) -> None:
        """Forget what is as good as new."""
        self._of = {name: gate for name, gate in self._of.items() if not gate.forgettable(now_s)}
