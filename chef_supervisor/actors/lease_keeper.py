"""Owns the thread that renews leases: when the thread dies, so does this actor, and its restart starts another."""

from __future__ import annotations

from typing import Never

import attrs

from chef_supervisor.kernel import Actor
from chef_supervisor.leases.keeper import LeaseKeeper


@attrs.define(eq=False, kw_only=True)
class LeaseKeeperActor(Actor[Never]):
    """Starts before all runners and ends after them."""

    keeper: LeaseKeeper

    async def on_start(self) -> None:
        """Begin to renew what is held, also what an earlier incarnation left."""
        self.ctx.spawn(self.keeper.keep(), name="thread")

    async def receive(self, message: object) -> None:
        """Nobody tells it anything: leases are held and dropped without waiting for a turn."""
