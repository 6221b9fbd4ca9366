"""One at a time for each key; who waits is let in when the one before leaves, however that ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs


@attrs.define(eq=False)
class _Flight:
    lock: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    aboard: int = 0


class Flights:
    """Remembers a key only while somebody is in it or waits for it."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    @asynccontextmanager
    async def alone(self, key: str) -> AsyncIterator[None]:
        """Be the only one with that key while the context lasts; others wait in the order they came."""
        flight = self._flights.setdefault(key, _Flight())
        flight.aboard += 1
        try:
            async with flight.lock:
                yield
        finally:
            flight.aboard -= 1
            if not flight.aboard:
                del self._flights[key]
