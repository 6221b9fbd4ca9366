"""When a connection is given up, in virtual time and on a transport that only notes what becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import attrs
import uvicorn
from uvicorn.server import ServerState

from chef_supervisor.api.http_protocol import BoundedProtocol, HeadLimits
from tests.kit.virtual_time import now_s, settle, virtual

HEAD_S = 10.0
IDLE_S = 5
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@attrs.define(eq=False)
class Noting:
    """A transport."""

    written: bytes = b""
    closed_at: float | None = None

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        if self.closed_at is None:
            self.closed_at = now_s()

    def is_closing(self) -> bool:
        return self.closed_at is not None

    def get_extra_info(self, _name: str) -> None: ...

    def resume_reading(self) -> None: ...

    def pause_reading(self) -> None: ...

    def write_eof(self) -> None: ...


async def _app(_scope: Any, _receive: Any, send: Any) -> None:
    await asyncio.sleep(1.0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def _connection() -> tuple[BoundedProtocol, Noting]:
    config = uvicorn.Config(cast("Any", _app), log_config=None, ws="none", lifespan="off", timeout_keep_alive=IDLE_S)
    limits, transport = HeadLimits(timeout_s=HEAD_S, linger_s=0.0), Noting()
    protocol = BoundedProtocol(config, ServerState(), {}, asyncio.get_running_loop(), limits=limits)
    protocol.connection_made(cast("asyncio.Transport", transport))
    return protocol, transport


@virtual
async def test_one_that_never_asks_anything_is_closed() -> None:
    _, transport = _connection()

    await asyncio.sleep(60.0)

    assert (transport.written, transport.closed_at) == (b"", HEAD_S)


@virtual
async def test_one_that_asks_nothing_more_is_closed_sooner() -> None:
    protocol, transport = _connection()

    protocol.data_received(REQUEST)
    await asyncio.sleep(60.0)

    assert transport.written.count(b"200 OK") == 1
    assert transport.closed_at == 1.0 + IDLE_S


@virtual
async def test_one_that_goes_on_asking_stays() -> None:
    protocol, transport = _connection()

    for _ in range(10):
        protocol.data_received(REQUEST)
        await asyncio.sleep(IDLE_S)

    assert transport.written.count(b"200 OK") == 10
    assert not transport.is_closing()
    await asyncio.sleep(IDLE_S)


@virtual
async def test_next_head_has_all_its_time_from_its_first_byte_and_no_more() -> None:
    protocol, transport = _connection()
    protocol.data_received(REQUEST)
    await asyncio.sleep(5.0)

    for byte in REQUEST[:-1]:
        protocol.data_received(bytes([byte]))
        await asyncio.sleep(1.0)

    assert b"408 Request Timeout" in transport.written
    assert transport.closed_at == 5.0 + HEAD_S


@virtual
async def test_lines_between_requests_keep_nothing_open() -> None:
    protocol, transport = _connection()
    protocol.data_received(REQUEST)
    await asyncio.sleep(2.0)

    for _ in range(20):
        protocol.data_received(b"\r\n")
        await asyncio.sleep(1.0)

    assert transport.closed_at == 2.0 + HEAD_S


@virtual
async def test_head_that_begins_during_an_answer_has_an_end_too() -> None:
    protocol, transport = _connection()

    protocol.data_received(REQUEST + REQUEST[:10])
    await settle()
    await asyncio.sleep(60.0)

    assert b"200 OK" in transport.written
    assert b"408 Request Timeout" in transport.written
    assert transport.closed_at == HEAD_S
