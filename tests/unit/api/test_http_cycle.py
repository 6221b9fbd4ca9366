"""What of an answer is written when, by the cycle of one request, on a transport that only notes it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import attrs
import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from chef_supervisor.api.http_cycle import Cycle

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2"), (b"x-y", b"z")]}
BODY = {"type": "http.response.body", "body": b"ok"}
WRITTEN = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-y: z\r\n"


@attrs.define(eq=False)
class Noting:
    """A transport."""

    written: list[bytes] = attrs.field(factory=list)
    closed: bool = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@attrs.define(eq=False)
class Answering:
    """A cycle and what came of it."""

    cycle: Cycle
    transport: Noting
    completed: list[bool]


def _answering(method: str = "GET", *, keep_alive: bool = True) -> Answering:
    transport, completed = Noting(), list[bool]()
    cycle = Cycle(
        scope=cast("Any", {"method": method}),
        transport=cast("asyncio.Transport", transport),
        flow=FlowControl(cast("asyncio.Transport", transport)),
        logger=logging.getLogger("chef.api.http"),
        access_logger=logging.getLogger("chef.api.http"),
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: completed.append(True),
    )
    return Answering(cycle, transport, completed)


async def _send(cycle: Cycle, *messages: dict[str, Any]) -> None:
    for message in messages:
        await cycle.send(dict(message))


@pytest.mark.asyncio
async def test_answer_that_is_whole_is_one_write() -> None:
    one = _answering()

    await _send(one.cycle, HEAD, BODY)

    assert one.transport.written == [WRITTEN + b"\r\nok"]
    assert (one.completed, one.cycle.response_complete, one.transport.closed) == ([True], True, False)


@pytest.mark.asyncio
async def test_last_answer_of_a_connection_says_so_and_closes_it() -> None:
    one = _answering(keep_alive=False)

    await _send(one.cycle, HEAD, BODY)

    assert one.transport.written == [WRITTEN + b"connection: close\r\n\r\nok"]
    assert one.transport.closed


@pytest.mark.asyncio
async def test_head_of_a_stream_does_not_wait_for_its_body() -> None:
    one = _answering()

    await _send(one.cycle, HEAD | {"headers": []})

    assert one.transport.written == [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"]


@pytest.mark.asyncio
async def test_file_goes_out_in_its_pieces() -> None:
    one = _answering()

    await _send(one.cycle, HEAD, BODY | {"body": b"o", "more_body": True}, BODY | {"body": b"k"})

    assert b"".join(one.transport.written) == WRITTEN + b"\r\nok"
    assert one.completed == [True]


@pytest.mark.asyncio
async def test_answer_to_head_has_no_body() -> None:
    one = _answering("HEAD")

    await _send(one.cycle, HEAD, BODY)

    assert b"".join(one.transport.written) == WRITTEN + b"\r\n"
    assert one.completed == [True]


@pytest.mark.parametrize("body", [b"o", b"oka"])
@pytest.mark.asyncio
async def test_body_of_another_length_than_told_is_a_mistake_of_ours(body: bytes) -> None:
    with pytest.raises(RuntimeError, match="than Content-Length"):
        await _send(_answering().cycle, HEAD, BODY | {"body": body})


@pytest.mark.asyncio
async def test_header_that_would_split_the_answer_is_never_written() -> None:
    one = _answering()
    headers = [*cast("list[tuple[bytes, bytes]]", HEAD["headers"]), (b"location", b"/\r\nset-cookie: a=b")]

    with pytest.raises(RuntimeError, match="cannot be sent"):
        await _send(one.cycle, HEAD | {"headers": headers}, BODY)

    assert one.transport.written == []


@pytest.mark.asyncio
async def test_answer_that_is_cut_between_head_and_body_is_none(caplog: pytest.LogCaptureFixture) -> None:
    one = _answering()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(HEAD)
        raise ZeroDivisionError

    await one.cycle.run_asgi(cast("Any", app))

    assert (one.transport.written, one.transport.closed) == ([], True)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.asyncio
async def test_nothing_is_written_to_who_is_gone() -> None:
    one = _answering()
    one.cycle.disconnected = True

    await _send(one.cycle, HEAD, BODY)

    assert one.transport.written == []
