"""What can be broken of a fake, and what it was asked."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import attrs

from chef_supervisor.domain.errors import StoreUnavailable


@attrs.define(eq=False)
class Breakable:
    """`away` makes every call fail; `hangs` makes every call wait for ever. `calls` counts them by name."""

    away: bool = False
    hangs: bool = False
    calls: dict[str, int] = attrs.field(factory=dict)
    _entered: defaultdict[str, asyncio.Event] = attrs.field(factory=lambda: defaultdict(asyncio.Event))

    def forget_calls(self) -> None:
        """Count anew."""
        self.calls.clear()
        self._entered.clear()

    async def called(self, name: str) -> None:
        """Wait for a call of that name."""
        await self._entered[name].wait()

    async def _enter(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        self._entered[name].set()
        if self.hangs:
            await asyncio.Event().wait()
        self._refuse_if_away()

    def _refuse_if_away(self) -> None:
        if self.away:
            raise StoreUnavailable("made to fail")
