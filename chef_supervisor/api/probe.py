"""Whether the store accepts jobs: asked at most every 250 ms, by one caller for all who want to know."""

from __future__ import annotations

import asyncio
from typing import Final

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.store.job_store import JobStore

_FRESH_S: Final = 0.25
# Below the second within which health must be told.
_TIMEOUT_S: Final = 0.7
_SILENT: Final = "it did not answer in time"


class StoreProbe:
    """
    Asks the store and remembers the answer for a moment.

    Args:
        timeout_s: a store that takes longer counts as away.
    """

    def __init__(self, store: JobStore, *, fresh_s: float = _FRESH_S, timeout_s: float = _TIMEOUT_S) -> None:
        self._store = store
        self._fresh_s = fresh_s
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._trouble: str | None = _SILENT
        self._good_until = float("-inf")

    async def trouble(self) -> str | None:
        """
        Returns: None where the store wrote and read a probe within the last moment, else why it did not, in its own
            words; never takes long to say so.
        """
        if asyncio.get_running_loop().time() < self._good_until:
            return self._trouble
        try:
            # Also around the lock: whoever holds it may be cancelled, and the next in line begins anew.
            async with asyncio.timeout(self._timeout_s + self._fresh_s / 2), self._lock:
                await self._refresh()
                return self._trouble
        except TimeoutError:
            return _SILENT

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._good_until:
            return
        self._trouble = await self._ask()
        self._good_until = asyncio.get_running_loop().time() + self._fresh_s

    async def _ask(self) -> str | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._store.check()
        except StoreUnavailable as error:
            return error.reason
        except TimeoutError:
            return _SILENT
        return None
