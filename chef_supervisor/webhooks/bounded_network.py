"""
TCP and TLS for requests to hosts that may be hostile: however many heads an answer has (`100 Continue` may come any
number of times), it is read in small pieces, the event loop turns in between, and there is an end to it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore

# A piece may hold a hundred heads, each of which takes the parser some 100 us.
_PIECE_BYTES: Final = 4096


class BoundedNetwork(httpcore.AsyncNetworkBackend):
    """Connections on which no answer may have more than so many bytes, heads included."""

    def __init__(self, most_answer_bytes: int) -> None:
        self._most_bytes = most_answer_bytes
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore calls it so
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See httpcore."""
        stream = await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Bounded(stream, self._most_bytes)


class _Bounded(httpcore.AsyncNetworkStream):
    """What is read counts from the last that was written: a request is written whole before its answer is read."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, most_bytes: int) -> None:
        self._stream = stream
        self._most_bytes = most_bytes
        self._read_bytes = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._read_bytes:
            # TLS hands out what it has unpacked without a turn of the loop.
            await asyncio.sleep(0)
        part = await self._stream.read(min(max_bytes, _PIECE_BYTES), timeout)
        self._read_bytes += len(part)
        if self._read_bytes > self._most_bytes:
            raise httpcore.ReadError("the answer is too long")
        return part

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._read_bytes = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Bounded(stream, self._most_bytes)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
