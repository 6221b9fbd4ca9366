"""A web server that answers with the very bytes a test gives it, over TLS or not, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import attrs

# It answers one request; what it does after, or whether it ends, is its own affair.
Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]

_DRIP_S: Final = 0.01
_PART_BYTES: Final = 65_536


@attrs.frozen(kw_only=True)
class Received:
    """One request. `headers`: names in lower case; `names`: as often as each was sent."""

    target: str
    headers: Mapping[str, str]
    names: tuple[str, ...]
    body: bytes


@attrs.define(eq=False)
class RawWeb:
    """`answering`: what is done with the next requests. `server_names`: what TLS clients asked for."""

    answering: Answering
    port: int = 0
    connections: int = 0
    received: list[Received] = attrs.field(factory=list)
    server_names: list[str | None] = attrs.field(factory=list)
    _serving: dict[asyncio.Task[None], asyncio.StreamWriter] = attrs.field(factory=dict)

    @property
    def url(self) -> str:
        """Where it is, without TLS."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take requests until the other side is gone."""
        self.connections += 1
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.received.append(await read_request(reader))
                await self.answering(writer)
                await writer.drain()

    async def abort(self) -> None:
        """Cut all connections."""
        for writer in self._serving.values():
            writer.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving)


@asynccontextmanager
async def raw_web(answering: Answering, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawWeb]:
    """Serve on a free port of 127.0.0.1 while the context lasts."""
    web = RawWeb(answering)
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: web.server_names.append(name)
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        await web.abort()
        await server.wait_closed()


def says(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answering:
    """Returns: an answer as it should be."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(http(status, headers, body))

    return answer


def http(
    status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", *, length: int | None = None
) -> bytes:
    """Returns: the bytes of an answer; `length` is told in place of the true one."""
    told = {**(headers or {}), "content-length": str(len(body) if length is None else length)}
    lines = [f"{name}: {value}" for name, value in told.items()]
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + body


def sends(answer: bytes, then: Answering) -> Answering:
    """Returns: these very bytes, and whatever comes then, such as `silence` or `hang_up`."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        await then(writer)

    return send


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """The connection ends."""
    writer.close()


async def drip_its_head(writer: asyncio.StreamWriter) -> None:
    """A byte at a time, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    await _drip(writer, b"a")


async def drip_its_body(writer: asyncio.StreamWriter) -> None:
    """The status at once, the rest never."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    await _drip(writer, b"a")


async def flood(writer: asyncio.StreamWriter, status: int = 200) -> None:
    """As much as is taken, for ever."""
    writer.write(f"HTTP/1.1 {status} X\r\n".encode() + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
        await _drained(writer)


@attrs.define(eq=False)
class Torrent:
    """Answers with these bytes and then with one more for ever. `left`: whoever asked has hung up."""

    head: bytes
    then: bytes = b"\0"
    sent_bytes: int = 0
    left: threading.Event = attrs.field(factory=threading.Event)

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        """Answer."""
        writer.write(self.head)
        try:
            while True:
                writer.write(self.then * _PART_BYTES)
                await writer.drain()
                self.sent_bytes += _PART_BYTES
                # A connection that is lost is known in the next turn of the loop, and no wait comes by itself then.
                await asyncio.sleep(0)
        finally:
            self.left.set()


async def flood_of_headers(writer: asyncio.StreamWriter) -> None:
    """Headers without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x: " + b"a" * 8192 + b"\r\n")
        await _drained(writer)


async def flood_of_heads(writer: asyncio.StreamWriter) -> None:
    """Heads that say that another will come."""
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 2600)
        await _drained(writer)


async def silence(writer: asyncio.StreamWriter) -> None:
    """Nothing, until the other side is gone."""
    await writer.wait_closed()


async def reset(writer: asyncio.StreamWriter) -> None:
    """No answer, the connection is cut."""
    writer.transport.abort()


async def nonsense(writer: asyncio.StreamWriter) -> None:
    """What is no HTTP."""
    writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")


async def half_an_answer(writer: asyncio.StreamWriter) -> None:
    """The connection ends within the head."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-le")
    writer.close()


async def _drained(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    # That a TLS connection was cut is heard of only when the loop turns.
    await asyncio.sleep(0)


async def _drip(writer: asyncio.StreamWriter, part: bytes) -> None:
    while True:
        writer.write(part)
        await writer.drain()
        # The pace of the fault itself; nothing waits for it.
        await asyncio.sleep(_DRIP_S)


async def read_request(reader: asyncio.StreamReader) -> Received:
    """Returns: the next request, read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    headers = dict(pairs)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(target=first.split(" ")[1], headers=headers, names=tuple(name for name, _ in pairs), body=body)
