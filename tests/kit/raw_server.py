"""A server that answers with exactly the bytes that a test wants, and may then stay silent or hang up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs


@attrs.define(eq=False)
class RawServer:
    """`answers`: the bytes of each answer, in the order of the connections. `hang_up`: after them, or wait for ever."""

    answers: list[bytes]
    hang_up: bool = True
    # Each byte of it follows the answer after so many seconds, until the other side has enough.
    drip: bytes = b""
    drip_s: float = 0.01
    connections: int = 0
    sent_bytes: int = 0
    url: str = ""
    left: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await _request(reader)
            await self._send(writer, self.answers.pop(0) if self.answers else b"")
            while self.drip:
                await self._send(writer, self.drip)
                await asyncio.sleep(self.drip_s)
            if not self.hang_up:
                # Until the other side leaves.
                await reader.read()
        except OSError:
            pass
        finally:
            self.left.set()
            writer.transport.abort() if self.drip else writer.close()

    async def _send(self, writer: asyncio.StreamWriter, content: bytes) -> None:
        writer.write(content)
        await writer.drain()
        self.sent_bytes += len(content)


async def _request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))


@asynccontextmanager
async def raw_server(*answers: bytes, hang_up: bool = True, drip: bytes = b"") -> AsyncIterator[RawServer]:
    """Yields: one that listens on a free port of this machine."""
    made = RawServer(list(answers), hang_up=hang_up, drip=drip)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        if made.connections:
            await made.left.wait()


def http(body: bytes, status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """Returns: an answer; `length` is told instead of the true one."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
