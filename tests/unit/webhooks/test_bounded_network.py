"""Connections on which an answer has an end, and the event loop its turns."""

from __future__ import annotations

import asyncio
import ssl

import httpcore
import pytest
import pytest_asyncio

from chef_supervisor.webhooks.bounded_network import BoundedNetwork
from tests.kit.raw_web import flood_of_heads, raw_web

pytestmark = pytest.mark.asyncio
MOST_BYTES = 10_000
PIECE_BYTES = 4096


class Endless(httpcore.AsyncNetworkStream):
    """Has as much as is asked for, at once and for ever."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        self.asked.append(max_bytes)
        return bytes(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        pass

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return self


@pytest_asyncio.fixture(params=["tcp", "tls"])
async def connected(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[httpcore.AsyncNetworkStream, Endless]:
    endless, network = Endless(), BoundedNetwork(MOST_BYTES)

    async def connect(*_: object) -> httpcore.AsyncNetworkStream:
        return endless

    monkeypatch.setattr(network._network, "connect_tcp", connect)
    stream = await network.connect_tcp("127.0.0.1", 1)
    return (await stream.start_tls(ssl.create_default_context()) if request.param == "tls" else stream), endless


async def read_to_its_end(stream: httpcore.AsyncNetworkStream) -> int:
    read_bytes = 0
    try:
        while True:
            read_bytes += len(await stream.read(65_536))
    except httpcore.ReadError:
        return read_bytes


async def test_an_answer_comes_in_small_pieces_and_has_an_end(
    connected: tuple[httpcore.AsyncNetworkStream, Endless],
) -> None:
    stream, endless = connected

    assert await read_to_its_end(stream) <= MOST_BYTES
    assert set(endless.asked) == {PIECE_BYTES}
    assert sum(endless.asked) <= MOST_BYTES + PIECE_BYTES


async def test_after_the_next_request_an_answer_is_as_long_again(
    connected: tuple[httpcore.AsyncNetworkStream, Endless],
) -> None:
    stream, _ = connected
    first = await read_to_its_end(stream)

    await stream.write(b"GET")

    assert await read_to_its_end(stream) == first > 0


async def test_the_loop_turns_between_two_pieces_that_are_there_at_once(
    connected: tuple[httpcore.AsyncNetworkStream, Endless],
) -> None:
    stream, _ = connected
    turned: list[bool] = []
    await stream.read(1)
    asyncio.get_running_loop().call_soon(turned.append, True)

    await stream.read(1)

    assert turned


async def test_heads_without_an_end_are_a_broken_connection() -> None:
    pool = httpcore.AsyncConnectionPool(network_backend=BoundedNetwork(MOST_BYTES))

    async with raw_web(flood_of_heads) as server:
        with pytest.raises(httpcore.ReadError):
            await pool.request("GET", server.url)
        await pool.aclose()
