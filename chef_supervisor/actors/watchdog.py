"""Shows that the event loop turns, and by how much it is late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Never

import attrs

from chef_supervisor.kernel import Actor
from chef_supervisor.vitals import Vitals

_TICK_S: Final = 1.0


@attrs.define(eq=False, kw_only=True)
class Watchdog(Actor[Never]):
    """Ticks once a second. `on_turn` is called at each tick, on the loop."""

    vitals: Vitals
    on_turn: Callable[[], None]

    async def on_start(self) -> None:
        """Begin to tick."""
        self.ctx.spawn(self._tick(), name="tick")

    async def receive(self, message: object) -> None:
        """Nobody tells it anything."""

    async def _tick(self) -> None:
        while True:
            self.vitals.turned(asyncio.get_running_loop().time(), _TICK_S)
            self.on_turn()
            await asyncio.sleep(_TICK_S)
