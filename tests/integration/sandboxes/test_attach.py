"""The attached connection, against an engine of our own making: framing, refusal, ends."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import docker.errors
import pytest

from chef_supervisor.sandboxes.docker.address import Address
from chef_supervisor.sandboxes.docker.attach import AttachedLine

pytestmark = pytest.mark.asyncio

UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n"


def framed(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(content)) + content


@asynccontextmanager
async def engine(folder: Path, *says: bytes, keeps_open: bool = False) -> AsyncIterator[tuple[Address, bytearray]]:
    """An engine that takes one request, says what it was given, and ends."""
    heard, done = bytearray(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.readuntil(b"\r\n\r\n"))
        for piece in says:
            writer.write(piece)
            await writer.drain()
        if keeps_open:
            heard.extend(await reader.read())
        writer.close()
        done.set()

    server = await asyncio.start_unix_server(serve, folder / "s")
    async with server:
        yield Address(path=str(folder / "s")), heard
        await done.wait()


async def read_all(line: AttachedLine) -> bytes:
    whole = bytearray()
    while chunk := await line.read():
        whole += chunk
    return bytes(whole)


async def attached(address: Address, use: Callable[[AttachedLine], Awaitable[bytes]]) -> bytes:
    line = await AttachedLine.open(address, "1.41", "abc")
    try:
        return await use(line)
    finally:
        line.close()


async def test_stdout_is_told_from_stderr(tmp_path: Path) -> None:
    said = framed(1, b"one") + framed(2, b"trouble") + framed(1, b"") + framed(1, b"two" * 100_000)
    async with engine(tmp_path, UPGRADED + said[:5], said[5:20], said[20:]) as (address, heard):
        line = await AttachedLine.open(address, "1.41", "abc")

        whole = await read_all(line)
        line.close()

    assert whole == b"one" + b"two" * 100_000
    assert line.complaint == "trouble"
    assert heard.startswith(b"POST /v1.41/containers/abc/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n")


async def test_a_frame_cut_short_is_the_end(tmp_path: Path) -> None:
    async with engine(tmp_path, UPGRADED, framed(1, b"whole"), framed(1, b"cut")[:9]) as (address, _):
        assert await attached(address, read_all) == b"wholec"


async def test_much_stderr_is_bounded(tmp_path: Path) -> None:
    async with engine(tmp_path, UPGRADED, framed(2, b"x" * 1_000_000), framed(1, b"y")) as (address, _):
        line = await AttachedLine.open(address, "1.41", "abc")
        assert await read_all(line) == b"y"
        line.close()

    assert len(line.complaint) == 4096


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 101", b"\r\n\r\n", b"", b"x" * 200_000]
)
async def test_a_refusal_is_an_error_of_docker(answer: bytes, tmp_path: Path) -> None:
    async with engine(tmp_path, answer) as (address, _):
        with pytest.raises((docker.errors.DockerException, OSError)):
            await AttachedLine.open(address, "1.41", "abc")


async def test_what_is_written_arrives(tmp_path: Path) -> None:
    async with engine(tmp_path, UPGRADED, keeps_open=True) as (address, heard):
        line = await AttachedLine.open(address, "1.41", "abc")
        await line.write(b"z" * 100_000)
        line._writer.write_eof()
        assert await line.read() == b""
        line.close()

    assert heard.endswith(b"z" * 100_000)


async def test_nobody_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r".+"):
        await AttachedLine.open(Address(path=str(tmp_path / "none")), "1.41", "abc")
