"""
What only HTTP can get wrong; everything else is in `domain.errors`.

Rejected
    RequestTimeout      the body came too slowly
Unavailable
    TooManyReaders      all places at the stream of events are taken
"""

from __future__ import annotations

import attrs

from chef_supervisor.domain.errors import Rejected, Unavailable


@attrs.frozen(str=False)
class RequestTimeout(Rejected):
    """The body was not there in time."""

    limit_s: float

    def message(self) -> str:
        return f"the body did not arrive within {self.limit_s:g} s"


@attrs.frozen(str=False)
class TooManyReaders(Unavailable):
    """The stream of events has as many readers as it may."""

    limit: int
    retry_after_s: float = 5.0

    def message(self) -> str:
        return f"{self.limit} readers follow the events already; poll GET /api/jobs/<id>?wait=30 instead"
