"""What a request asks of the store is answered soon, or refused: a hung Redis must not hang its callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from chef_supervisor.domain.errors import StoreUnavailable

# The slowest way to Redis that is reckoned with; what is large may take longer by that.
_SLOWEST_BYTES_PER_S: Final = 10 << 20


class Deadline:
    """When the calls of one request must be done."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout

    def allow_for(self, size_bytes: int) -> None:
        """Put it off by the time that so many bytes may take."""
        when = self._timeout.when()
        if when is not None:
            self._timeout.reschedule(when + size_bytes / _SLOWEST_BYTES_PER_S)


@asynccontextmanager
async def promptly(timeout_s: float) -> AsyncIterator[Deadline]:
    """
    Bound several calls of the store together; each has its own bound too.

    Raises:
        StoreUnavailable: they took longer.
    """
    try:
        async with asyncio.timeout(timeout_s) as timeout:
            yield Deadline(timeout)
    except TimeoutError as error:
        raise StoreUnavailable("it did not answer in time") from error
