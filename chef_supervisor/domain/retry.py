"""When a job that failed is run again: how long it waits before its next run. Chance is an argument."""

from __future__ import annotations

import enum
from typing import Final

import attrs

# Doubling more often than this is past every bound, and past what a float holds exactly.
_MOST_DOUBLINGS: Final = 40


class BackoffKind(enum.StrEnum):
    """How waiting times grow."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"


@attrs.frozen(kw_only=True)
class Backoff:
    """
    How long a job waits before its next run.

    `fixed` waits `delay_ms` each time; `exponential` waits that after the first failure and twice as long after each
    further one, at most `max_ms`, less up to half by chance, so that what failed together does not come together.
    """

    kind: BackoffKind = BackoffKind.EXPONENTIAL
    delay_ms: int = 1_000
    max_ms: int = 60_000

    def wait_ms(self, failures: int, chance: float) -> int:
        """Returns: how long to wait after so many failures (1 = the first); `chance` is from 0 to 1."""
        if self.kind is BackoffKind.FIXED:
            return min(self.delay_ms, self.max_ms)
        doublings = max(0, min(failures - 1, _MOST_DOUBLINGS))
        return int(min(self.delay_ms * 2**doublings, self.max_ms) * (1 - chance / 2))


# What a run waits for that the infrastructure ruined: an engine that restarts, a disk that is full.
INFRASTRUCTURE: Final = Backoff(kind=BackoffKind.EXPONENTIAL, delay_ms=1_000, max_ms=60_000)
