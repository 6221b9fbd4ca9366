"""
Connections to Redis: opened when needed, used by one task at a time, closed at the first doubt.

Not redis-py's client and pool: those retry commands whose reply was lost, which only the store knows how to do right,
and keep connections by the count of a lock. A connection here is either idle in a list or in one task's hands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import attrs
from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from chef_supervisor.store.config import StoreConfig

Command: TypeAlias = Sequence[str | bytes | int | float]
# What a command may answer; callers know which it is.
Reply: TypeAlias = Any
_CLIENT_NAME: Final = "chef-supervisor"


@attrs.define(eq=False)
class Lines:
    """Connections to one server; as many as there are calls at one time."""

    make: Callable[[], AbstractConnection]
    _idle: list[AbstractConnection] = attrs.field(factory=list, init=False)
    _busy: set[AbstractConnection] = attrs.field(factory=set, init=False)
    _closed: bool = attrs.field(default=False, init=False)

    async def run(self, commands: Sequence[Command]) -> list[Reply | ResponseError]:
        """
        Send the commands in one go, and read one reply for each; an error of one command is its reply.

        Raises:
            redis.exceptions.ConnectionError: the connection broke; what was sent may have been executed.
        """
        line = self._idle.pop() if self._idle else self.make()
        self._busy.add(line)
        clean = False
        try:
            await line.send_packed_command(line.pack_commands(commands))
            replies = [await _read(line) for _ in commands]
            clean = not self._closed
        finally:
            self._busy.discard(line)
            if clean:
                self._idle.append(line)
            else:
                # It would give the replies that were not read to the next who asks.
                await line.disconnect(nowait=True)
        return replies

    async def drop_idle(self) -> None:
        """Close what is idle: the server at the other end may not be the right one any more."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    async def close(self) -> None:
        """Close all connections, those in use as well."""
        self._closed = True
        await self.drop_idle()
        for line in tuple(self._busy):
            await line.disconnect(nowait=True)


def make_line(config: StoreConfig) -> AbstractConnection:
    """Returns: a connection that is not open yet. It has no time-outs of its own: the store's calls have."""
    options: dict[str, Any] = {
        "db": config.database,
        "username": config.username or None,
        "password": config.password or None,
        "socket_timeout": None,
        "socket_connect_timeout": None,
        "retry": Retry(NoBackoff(), 0),
        "client_name": _CLIENT_NAME,
        "driver_info": None,
        "protocol": 2,
    }
    if config.unix_socket:
        return UnixDomainSocketConnection(path=config.unix_socket, **options)
    return Connection(host=config.host, port=config.port, **options)


async def _read(line: AbstractConnection) -> Reply | ResponseError:
    try:
        return await line.read_response()
    except ResponseError as error:
        return error
