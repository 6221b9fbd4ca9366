"""Moments as the API and the receivers of events read them."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The end of the year 9999; later ones cannot be written with four digits.
_LAST_MS: Final = 253_402_300_799_999


def rfc3339(at_ms: int) -> str:
    """Returns: such as `2026-01-31T12:00:00.000Z`; of what no clock of ours says, the nearest that can be written."""
    at_s, ms = divmod(min(max(at_ms, 0), _LAST_MS), 1000)
    return f"{_second(at_s)}.{ms:03}Z"


# What is told within one second, and of jobs of one second, shares all but the end.
@functools.lru_cache(maxsize=1024)
def _second(at_s: int) -> str:
    return (_EPOCH + timedelta(seconds=at_s)).isoformat().removesuffix("+00:00")
