"""
What only HTTP can get wrong; everything else is in `domain.errors`.

Rejected
    ForeignOrigin       a form or a retry that a page of another origin sent
    RequestTimeout      the body came too slowly
Unavailable
    TooManyReaders      all places at the stream of events are taken
"""

from __future__ import annotations

import attrs

from chef_supervisor.domain.errors import Rejected, Unavailable


@attrs.frozen(str=False)
class ForeignOrigin(Rejected):
    """A web page asked for a job that may not call from where it is."""

    origin: str

    def message(self) -> str:
        return f"pages of {self.origin!r} may not make jobs here; CHEF_CORS_ORIGINS lists those that may"


@attrs.frozen(str=False)
class RequestTimeout(Rejected):
    """The body was not there in time."""

    limit_s: float

    def message(self) -> str:
        return f"the body did not arrive within {self.limit_s:g} s"


@attrs.frozen(str=False)
class TooManyReaders(Unavailable):
    """The stream of events, or that of logs, has as many readers as it may."""

    limit: int
    retry_after_s: float = 5.0

    def message(self) -> str:
        return f"{self.limit} readers follow already; poll GET /api/jobs/<id>?wait=30 instead"
