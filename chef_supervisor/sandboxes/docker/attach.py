"""
The line to a container: one HTTP connection, taken over for raw bytes both ways.

Done here with asyncio rather than by docker-py, whose raw socket would need a thread for each box.
Source: Docker Engine API, "Attach to a container", Stream format.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import ExitStack
from typing import Final

from chef_supervisor.sandboxes.docker.address import Address
from chef_supervisor.sandboxes.docker.trouble import EngineFault

_REQUEST: Final = (
    "POST /v{version}/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n"
    "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
)
_TAKEN_OVER: Final = (b"HTTP/1.1 101", b"HTTP/1.1 200")
_STREAM_HEADER: Final = struct.Struct(">B3xI")
_STDOUT: Final = 1
_CHUNK: Final = 1 << 16
_MOST_STDERR: Final = 4096


class AttachedLine:
    """stdin and stdout of a container. `complaint` is the beginning of what came on stderr."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._stream, self._left = _STDOUT, 0
        self._stderr = bytearray()

    @classmethod
    async def open(cls, address: Address, version: str, container: str) -> AttachedLine:
        """
        Attach, best before the container starts, so that nothing is missed.

        Raises:
            OSError, DockerException: the engine does not answer, or refuses.
        """
        reader, writer = await address.connect()
        with ExitStack() as stack:
            stack.callback(writer.transport.abort)
            writer.write(_REQUEST.format(version=version, container=container).encode())
            await _taken_over(reader)
            stack.pop_all()
        return cls(reader, writer)

    @property
    def complaint(self) -> str:
        """Returns: what stands on stderr so far, at most 4 kB."""
        return self._stderr.decode(errors="replace").strip()

    @property
    def ended(self) -> bool:
        """Returns: whether the end of the line has come, or it was cut; something may be left to be read."""
        # at_eof() is not true while a complaint lies before the end.
        at_end = self._reader.at_eof() or getattr(self._reader, "_eof", False)
        return at_end or self._reader.exception() is not None or self._writer.transport.is_closing()

    async def read(self) -> bytes:
        """Returns: the next bytes of stdout; empty at the end, whatever ended it."""
        try:
            while True:
                chunk = await self._next()
                if not chunk or self._stream == _STDOUT:
                    return chunk
                self._stderr += chunk[: _MOST_STDERR - len(self._stderr)]
        except (OSError, asyncio.IncompleteReadError):
            return b""

    async def write(self, chunk: bytes) -> None:
        """Send it to stdin, waiting for room."""
        self._writer.write(chunk)
        await self._writer.drain()

    def close(self) -> None:
        """Let go at once; the container's stdin ends with it."""
        self._writer.transport.abort()

    async def _next(self) -> bytes:
        while not self._left:
            header = await self._reader.readexactly(_STREAM_HEADER.size)
            self._stream, self._left = _STREAM_HEADER.unpack(header)
        chunk = await self._reader.read(min(self._left, _CHUNK))
        self._left -= len(chunk)
        return chunk


async def _taken_over(reader: asyncio.StreamReader) -> None:
    """
    Read the engine's answer; what follows are the container's bytes.

    Raises:
        DockerException: it refuses.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise EngineFault("attaching was cut short") from error
    if head[: len(_TAKEN_OVER[0])] not in _TAKEN_OVER:
        raise EngineFault(f"attaching was answered {head[:200]!r}")
