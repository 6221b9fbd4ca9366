"""Keeps the embedded Redis running: when it dies, so does this actor, and its restart starts it on the same data."""

from __future__ import annotations

import logging
from typing import Never

import attrs

from chef_supervisor.kernel import Actor
from chef_supervisor.store.embedded import EmbeddedRedis

log = logging.getLogger("chef.redis")


@attrs.define(eq=False, kw_only=True)
class EmbeddedRedisKeeper(Actor[Never]):
    """The first child of the root, so that it is there before anybody needs it and goes after everybody."""

    redis: EmbeddedRedis

    async def on_start(self) -> None:
        """
        Start it and wait until it answers.

        Raises:
            Misconfigured: there is no server, or its folder is in use.
        """
        await self.redis.start()
        log.info("embedded Redis is up: %s", self.redis.socket_path, extra={"event": "redis.started"})
        self.ctx.spawn(self._watch(), name="watch")

    async def receive(self, message: object) -> None:
        """Nobody tells it anything."""

    async def on_exit(self) -> None:
        """End the server however the actor ends: one left behind would keep the data from the next incarnation."""
        await self.redis.stop()

    async def _watch(self) -> None:
        code = await self.redis.died()
        if not self.ctx.stopping.done():
            raise RuntimeError(f"the embedded Redis ended with code {code}")
