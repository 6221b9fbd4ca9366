"""Has boxes started ahead of need, so that a job finds one that waits for it."""

from __future__ import annotations

import asyncio
from typing import Never

import attrs

from chef_supervisor.kernel import Actor
from chef_supervisor.sandboxes.sandbox import Limits
from chef_supervisor.sandboxes.watched import WatchedSandbox


@attrs.define(eq=False, kw_only=True)
class Warmer(Actor[Never]):
    """`limits`: those of a job's box. Begins once `taken_over` is set: the boxes of our last process are gone then."""

    sandbox: WatchedSandbox
    limits: Limits
    count: int
    taken_over: asyncio.Event

    async def on_start(self) -> None:
        """Begin."""
        self.ctx.spawn(self._keep(), name="keep")

    async def receive(self, message: object) -> None:
        """Nobody tells it anything."""

    async def _keep(self) -> None:
        await self.taken_over.wait()
        await self.sandbox.keep_warm(self.limits, self.count)
