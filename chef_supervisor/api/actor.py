"""The API as a child of the tree: the server and the feed it streams from live and die together."""

from __future__ import annotations

import logging
from typing import Final, Never

import attrs

from chef_supervisor.api.feed import EventFeed
from chef_supervisor.api.server import Server
from chef_supervisor.kernel import Actor

log = logging.getLogger("chef.api")
# Requests under way when the process stops; streams and long polls are told to end at once.
_FINISH_S: Final = 5.0


@attrs.define(eq=False, kw_only=True)
class ApiActor(Actor[Never]):
    """Serves until it is stopped. The server outlives a restart of the actor, and with it the port."""

    server: Server
    feed: EventFeed
    host: str

    async def on_start(self) -> None:
        """
        Listen; the next sibling starts when requests are answered.

        Raises:
            Misconfigured: the port cannot be had.
        """
        port = self.server.port
        self.ctx.spawn(self.feed.run(), name="feed")
        self.ctx.spawn(self.server.run(), name="server")
        await self.server.ready.wait()
        url = f"http://{self.host}:{port}"
        log.info("listening on %s", url, extra={"event": "api.listening", "url": url})

    async def receive(self, message: object) -> None:
        """Nobody tells the API anything: it asks the store."""

    async def on_stop(self) -> None:
        """Let requests end, then give the port back."""
        await self.server.stop(_FINISH_S)
        self.server.close()
