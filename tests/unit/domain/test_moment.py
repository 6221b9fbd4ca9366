"""Moments are written as RFC 3339 says, whatever number is stored."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.moment import rfc3339


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_769_860_800_123, "2026-01-31T12:00:00.123Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
        (10**30, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_what_cannot_be_written_is_the_nearest_that_can(at_ms: int, text: str) -> None:
    assert rfc3339(at_ms) == text
