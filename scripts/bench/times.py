"""How long something took, again and again; printed as its median."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Final

import attrs

_MS: Final = 1000


@attrs.frozen
class Times:
    """In milliseconds, in the order they were taken."""

    all_ms: Sequence[float]

    def __str__(self) -> str:
        return f"p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms, of {len(self.all_ms)}"

    @property
    def p50_ms(self) -> float:
        """The median."""
        return statistics.median(self.all_ms)

    @property
    def p95_ms(self) -> float:
        """What 95 of 100 stay below."""
        return statistics.quantiles(self.all_ms, n=20, method="inclusive")[-1]


def of_each(work: Callable[[], object], times: int, *, before: Callable[[], object] = lambda: None) -> Times:
    """Returns: of the work alone, and not of what is done before each."""
    taken = []
    for _ in range(times):
        before()
        began = time.monotonic()
        work()
        taken.append(_MS * (time.monotonic() - began))
    return Times(taken)


def together(rounds: Iterable[Times]) -> Sequence[float]:
    """Returns: those of all rounds, in milliseconds."""
    return list(chain.from_iterable(times.all_ms for times in rounds))
