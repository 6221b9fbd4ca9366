"""What a network and a server at the end of it can do to a call of Convex."""

from __future__ import annotations

import asyncio
import gzip
import socket

import pytest

from chef_supervisor.domain.delivery import Answer, Answered, EventKind
from tests.integration.webhooks.convex_app import delivered
from tests.kit.messages import message
from tests.kit.raw_web import Torrent, drip_its_body, hang_up, http, raw_web, says, sends, silence

pytestmark = pytest.mark.asyncio

TAKEN = Answer(answered=Answered.TAKEN)
SUCCESS = b'{"status":"success","value":null}'


def failed(reason: str) -> Answer:
    return Answer(answered=Answered.FAILED, reason=reason)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"\x16\x03\x01",
        http(200, body=SUCCESS, length=100),
        b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n21\r\n" + SUCCESS,
        b"HTTP/1.1 200 X\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 X\r\nx: " + b"x" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    ],
)
async def test_an_answer_that_is_cut_or_none_is_asked_for_again(answer: bytes) -> None:
    async with raw_web(sends(answer, hang_up)) as server:
        assert await delivered(server.url, message()) == failed("connection_lost")


@pytest.mark.parametrize(
    "answer", [b"", http(200, length=10), http(200, body=b'{"status":"suc', length=100), b"HTTP/1.1 1"]
)
@pytest.mark.parametrize("kind", [EventKind.COMPLETED, EventKind.PROGRESS])
async def test_silence_ends_with_the_deadline_of_the_kind(kind: EventKind, answer: bytes) -> None:
    deadlines = {"end_s": 60.0, "progress_s": 60.0} | {("end_s" if kind.terminal else "progress_s"): 0.05}

    async with raw_web(sends(answer, silence)) as server:
        assert await delivered(server.url, message(kind), **deadlines) == failed("timeout")


async def test_an_answer_that_drips_ends_with_the_deadline() -> None:
    async with raw_web(drip_its_body) as server:
        assert await delivered(server.url, message(), end_s=0.1) == failed("timeout")


async def test_no_more_is_read_of_an_endless_answer_than_its_beginning() -> None:
    endless = Torrent(http(200, body=b'{"status":"success","value":"', length=10**9), b"x")

    async with raw_web(endless) as server:
        assert await delivered(server.url, message()) == TAKEN
        await asyncio.to_thread(endless.left.wait)

    # What lay in the sockets between is sent and never read.
    assert endless.sent_bytes < 10**9


async def test_what_comes_packed_is_not_unpacked() -> None:
    bomb = gzip.compress(SUCCESS + b" " * 50_000_000)

    async with raw_web(says(200, {"content-encoding": "gzip"}, bomb)) as server:
        assert await delivered(server.url, message()) == failed("unreadable_answer")


async def test_a_redirect_is_not_followed() -> None:
    async with raw_web(says(200, body=SUCCESS)) as other:
        async with raw_web(says(307, {"location": f"{other.url}/api/mutation"})) as server:
            answer = await delivered(server.url, message())

        assert answer == Answer(answered=Answered.REFUSED, reason="http_307")
        assert other.connections == 0


async def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert await delivered(f"http://127.0.0.1:{port}", message()) == failed("connect_failed")


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_web(says(200, body=SUCCESS)) as proxy, raw_web(says(200, body=SUCCESS)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)

        assert await delivered(server.url, message()) == TAKEN
        assert proxy.connections == 0
