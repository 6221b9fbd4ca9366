"""uvicorn on a socket of our own: restarted it keeps the port, and signals are left to whoever owns the process."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import resource
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp

from chef_supervisor.api.http_protocol import BoundedProtocol, HeadLimits
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.settings import HttpSettings

_BACKLOG: Final = 2048
_KEEP_ALIVE_S: Final = 5
# A peer that takes nothing of an answer for so long is cut off by the kernel.
_STALLED_PEER_MS: Final = 30_000
# Below the usual limit of 1,024 open files, with room for Redis, containers and logs; less where fewer may be open.
_MAX_CONNECTIONS: Final = 800
_KEPT_DESCRIPTORS: Final = 220
# What an idle process has open, and some for its jobs.
_LEAST_DESCRIPTORS: Final = 48


def affordable_connections() -> int:
    """Returns: how many connections leave descriptors enough for all else, by the limit that this process has now."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    kept = min(_KEPT_DESCRIPTORS, max(_LEAST_DESCRIPTORS, limit // 2))
    return max(1, min(_MAX_CONNECTIONS, limit - kept))


class _Uvicorn(uvicorn.Server):
    """Tells when it is ready, installs no signal handlers, and leaves nothing behind when it is cancelled."""

    def __init__(self, config: uvicorn.Config, ready: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    def abort(self) -> None:
        """Close what is still open, at once."""
        self._ready.clear()
        for listener in getattr(self, "servers", ()):
            listener.close()
        for task in self.server_state.tasks:
            task.cancel()
        for connection in list(self.server_state.connections):
            cast("BoundedProtocol", connection).transport.abort()


class Server:
    """
    Serves an app until it is stopped; may be run again after that, on the same port.

    Args:
        on_stop: called when stopping begins; ends the streams and long polls that would hold it up.
        max_connections: more are answered 503, and many more cut off.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: HttpSettings,
        *,
        on_stop: Callable[[], None] = lambda: None,
        max_connections: int | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._on_stop = on_stop
        self._max_connections = max_connections or affordable_connections()
        self._socket: socket.socket | None = None
        self._uvicorn: _Uvicorn | None = None
        self._stopped = asyncio.Event()
        # Set while requests are answered.
        self.ready = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on; the system chose one where the setting is 0."""
        return int(self.bind().getsockname()[1])

    def bind(self) -> socket.socket:
        """
        Take the port, once; callers that come before `run` wait in its backlog.

        Raises:
            Misconfigured: another process has it, or this one may not.
        """
        if self._socket is None:
            self._socket = _listen(self._settings.host, self._settings.port)
        return self._socket

    async def run(self) -> None:
        """Serve until `stop`, or until cancelled: then every connection is cut."""
        self._stopped.clear()
        self._uvicorn = _Uvicorn(self._config(), self.ready)
        try:
            # A copy, because uvicorn closes what it is given.
            await self._uvicorn.serve(sockets=[self.bind().dup()])
        finally:
            self._uvicorn.abort()
            self._uvicorn = None
            self._stopped.set()

    async def stop(self, deadline_s: float) -> None:
        """Take no more requests, let those there are finish for so long, cut what is left; return once `run` has."""
        if self._uvicorn is None:
            return
        self._on_stop()
        # Annotated as an int, but only ever waited for.
        self._uvicorn.config.timeout_graceful_shutdown = cast("int", deadline_s)
        self._uvicorn.should_exit = True
        await self._stopped.wait()

    def close(self) -> None:
        """Give the port back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _config(self) -> uvicorn.Config:
        limits = HeadLimits(timeout_s=self._settings.header_timeout_s)
        return uvicorn.Config(
            cast("Any", self._app),
            interface="asgi3",
            # uvicorn wants a class and only ever calls it.
            http=cast("type[asyncio.Protocol]", functools.partial(BoundedProtocol, limits=limits)),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            limit_concurrency=self._max_connections,
            timeout_keep_alive=_KEEP_ALIVE_S,
            backlog=_BACKLOG,
        )


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as on_failure:
            listener = on_failure.enter_context(socket.socket(family, kind, protocol))
            _take(listener, address)
            on_failure.pop_all()
    except OSError as error:
        reason = f"cannot listen there: {error.strerror or error}"
        raise Misconfigured((f"http.host={host!r}, http.port={port}: {reason}",)) from error
    return listener


def _take(listener: socket.socket, address: Any) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED_PEER_MS)
    listener.bind(address)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
