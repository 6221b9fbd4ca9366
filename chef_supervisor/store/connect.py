"""
Connections to Redis: opened when needed, used by one task at a time, closed at the first doubt.

Not redis-py's client and pool: those retry commands whose reply was lost, which only the store knows how to do right,
and keep connections by the count of a lock. A connection here is either idle in a list or in one task's hands.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import attrs
import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.errors import is_of_a_wrong_server

Command: TypeAlias = Sequence[str | bytes | int | float]
# What a command may answer; callers know which it is.
Reply: TypeAlias = Any
# For whoever looks at CLIENT LIST; a server that does not allow it is none the worse.
_GREETING: Final = (("CLIENT", "SETNAME", "chef-supervisor"),)
# Seconds of silence, seconds between probes, probes: such a peer is given up after half a minute.
_KEEPALIVE: Final = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
}


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

        Where the connection breaks or hangs, or the server is not fit for use now, idle connections are closed as well:
        they lead to the same server, and the next ones may lead to the one that took over.

        Raises:
            redis.exceptions.ConnectionError: the connection broke; what was sent may have been executed.
        """
        line = self._idle.pop() if self._idle else self.make()
        self._busy.add(line)
        clean, was_open = False, line.is_connected
        try:
            # With the first commands, and not before them: a round trip less, where the server is far away.
            greeting = () if was_open else _GREETING
            await line.send_packed_command(_packed([*greeting, *commands]))
            was_open = True
            replies = [await _read(line) for _ in (*greeting, *commands)][len(greeting) :]
            clean = not self._closed and not any(map(_is_of_a_wrong_server, replies))
        finally:
            self._busy.discard(line)
            if clean:
                self._idle.append(line)
            else:
                # It would give the replies that were not read to the next who asks.
                await line.disconnect(nowait=True)
                # One that could not even be opened says nothing about those that are: descriptors may be short.
                if was_open:
                    await self._drop_idle()
        return replies

    async def close(self) -> None:
        """Close all connections, those in use as well."""
        self._closed = True
        await self._drop_idle()
        for line in tuple(self._busy):
            await line.disconnect(nowait=True)

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)


def make_line(config: StoreConfig) -> AbstractConnection:
    """Returns: a connection that is not open yet. It has no time-outs of its own: the store's calls have."""
    options: dict[str, Any] = {
        "db": config.database,
        "username": config.username or None,
        "password": config.password or None,
        "socket_timeout": None,
        "socket_connect_timeout": None,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,
        "protocol": 2,
    }
    if config.unix_socket:
        return UnixDomainSocketConnection(path=config.unix_socket, **options)
    # A peer that is gone without a word is found out also where nobody waits for it.
    return Connection(
        host=config.host,
        port=config.port,
        socket_keepalive=True,
        socket_keepalive_options=_KEEPALIVE,
        **options,
    )


def _packed(commands: Sequence[Command]) -> list[bytes]:
    # Not `line.pack_commands`, which does in Python, and ten times slower, what the parser's library does in C.
    # Its stub says a tuple of one.
    return [hiredis.pack_command(tuple(command)) for command in commands]  # type: ignore[arg-type]


def _is_of_a_wrong_server(reply: Reply | ResponseError) -> bool:
    return isinstance(reply, ResponseError) and is_of_a_wrong_server(reply)


async def _read(line: AbstractConnection) -> Reply | ResponseError:
    try:
        return await line.read_response()
    except ResponseError as error:
        return error
