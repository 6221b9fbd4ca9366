"""What is done to a deployment, when, and how it is undone; all of it follows from the seed."""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import attrs

# Between two faults.
_CALM_S: Final = (1.5, 6.0)
Heal = Callable[[], None]
# Does it, and returns how it is undone; None where there was nothing to do it to.
Strike = Callable[[], Heal | None]


@attrs.frozen(kw_only=True)
class Kind:
    """A fault. `target`: two faults are never done to one at once. `lasts_s`: from and to; 0 = healed at once."""

    name: str
    target: str
    strike: Strike
    lasts_s: tuple[float, float] = (0.0, 0.0)


@attrs.define(eq=False)
class Storm:
    """`struck_at_ms` is when each fault began, by the machine's clock."""

    kinds: list[Kind]
    chance: random.Random
    tell: Callable[[str], None]
    done: Counter[str] = attrs.field(factory=Counter)
    struck_at_ms: list[float] = attrs.field(factory=list)
    _open: list[tuple[float, int, Kind, Heal]] = attrs.field(factory=list)

    def rage(self, for_s: float, look: Callable[[], None]) -> None:
        """Do one fault after the other for so long, then undo what is not undone yet; `look` is called in between."""
        ends_at = time.monotonic() + for_s
        next_at = self._calm(time.monotonic())
        while time.monotonic() < ends_at:
            look()
            due_at = min(next_at, ends_at, self._open[0][0] if self._open else ends_at)
            time.sleep(max(0.0, min(due_at - time.monotonic(), 0.2)))
            self._heal_due(time.monotonic())
            if time.monotonic() >= next_at:
                self._strike()
                next_at = self._calm(time.monotonic())
        self._heal_due(float("inf"))

    def _calm(self, now: float) -> float:
        return now + self.chance.uniform(*_CALM_S)

    def _strike(self) -> None:
        broken = {kind.target for _, _, kind, _ in self._open}
        kind = self.chance.choice([kind for kind in self.kinds if kind.target not in broken] or self.kinds[-1:])
        # Before: what it interrupts was interrupted not earlier than now.
        at_ms, lasts_s = time.time() * 1000, self.chance.uniform(*kind.lasts_s)
        if kind.target in broken or (heal := kind.strike()) is None:
            return
        self.tell(f"{kind.name}" + (f", for {lasts_s:.1f} s" if lasts_s else ""))
        self.done[kind.name] += 1
        self.struck_at_ms.append(at_ms)
        heapq.heappush(self._open, (time.monotonic() + lasts_s, len(self.struck_at_ms), kind, heal))

    def _heal_due(self, now: float) -> None:
        while self._open and self._open[0][0] <= now:
            _, _, kind, heal = heapq.heappop(self._open)
            heal()
            if kind.lasts_s[1]:
                self.tell(f"{kind.name}: over")
