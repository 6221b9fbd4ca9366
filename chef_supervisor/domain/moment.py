"""Moments as the API and the receivers of events read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The end of the year 9999; later ones cannot be written with four digits.
_LAST_MS: Final = 253_402_300_799_999


def rfc3339(at_ms: int) -> str:
    """Returns: such as `2026-01-31T12:00:00.000Z`; of what no clock of ours says, the nearest that can be written."""
    at = _EPOCH + timedelta(milliseconds=min(max(at_ms, 0), _LAST_MS))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
