"""What a request asks of the store is answered soon, or refused: a hung Redis must not hang its callers."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.kernel import Within

# The slowest way to Redis that is reckoned with; what is large may take longer by that.
_SLOWEST_BYTES_PER_S: Final = 10 << 20
_LATE: Final = "it did not answer in time"


class Promptly(Within):
    """When the calls of one request must be done."""

    def allow_for(self, size_bytes: int) -> None:
        """Put it off by the time that so many bytes may take."""
        self.put_off(size_bytes / _SLOWEST_BYTES_PER_S)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, traceback)
        except TimeoutError as late:
            raise StoreUnavailable(_LATE) from late
        if isinstance(error, TimeoutError):
            raise StoreUnavailable(_LATE) from error


def promptly(timeout_s: float) -> Promptly:
    """
    Bound several calls of the store together; each has its own bound too.

    Raises:
        StoreUnavailable: they took longer.
    """
    return Promptly(timeout_s)
