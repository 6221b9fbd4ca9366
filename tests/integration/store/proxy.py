"""A way to Redis that breaks on demand after the request went through and before its reply comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from tests.kit.redis_servers import RedisServer

_CHUNK_BYTES = 1 << 20


class _Ended(Exception):
    """One way of a connection is over, and so is the other."""


@attrs.define(eq=False)
class _Line:
    runs_script: bool = False


@attrs.define(eq=False)
class CuttingProxy:
    """Listens on a unix socket. The next `cuts` replies to an EVALSHA are lost together with their connections."""

    server: RedisServer
    cuts: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, until either side or a cut ends it."""
        if self.server.socket is not None:
            there = await asyncio.open_unix_connection(self.server.socket)
        else:
            there = await asyncio.open_connection(self.server.host, self.server.port)
        line = _Line()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(line, reader, there[1]))
                group.create_task(self._replies(line, there[0], writer))
        except* (_Ended, OSError):
            pass
        finally:
            there[1].close()
            writer.close()

    async def _requests(self, line: _Line, here: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        while request := await here.read(_CHUNK_BYTES):
            line.runs_script = line.runs_script or b"EVALSHA" in request
            there.write(request)
        raise _Ended

    async def _replies(self, line: _Line, there: asyncio.StreamReader, here: asyncio.StreamWriter) -> None:
        while reply := await there.read(_CHUNK_BYTES):
            if self.cuts > 0 and line.runs_script:
                self.cuts -= 1
                break
            line.runs_script = False
            here.write(reply)
        raise _Ended


@asynccontextmanager
async def cutting_proxy(server: RedisServer, folder: Path) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """Yields: the proxy and the path of its socket."""
    proxy, path = CuttingProxy(server), str(folder / "proxy")
    listening = await asyncio.start_unix_server(proxy.serve, path)
    try:
        yield proxy, path
    finally:
        listening.close()
