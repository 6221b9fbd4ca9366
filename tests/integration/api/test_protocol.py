"""What clients get wrong below the app, byte for byte on a real connection."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.integration.api.server_kit import PATIENCE_S, Serving, code_of, serving, status_of, warnings_in
from tests.unit.api.api_kit import job_body

BODY = json.dumps(job_body()).encode()
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
POST = b"POST /api/jobs HTTP/1.1\r\n" + HOST + JSON
LIVE = b"GET /api/health/live HTTP/1.1\r\n" + HOST
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


def _chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + _chunked(BODY),
            400,
            id="chunked and then a length",
        ),
        pytest.param(
            POST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + _chunked(BODY), 400, id="a length and then chunked"
        ),
        pytest.param(POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + _chunked(BODY), 400, id="gzip and chunked"),
        pytest.param(POST + b"Transfer-Encoding: identity\r\n\r\n" + BODY, 400, id="identity as coding"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + _chunked(BODY),
            400,
            id="chunked twice",
        ),
        pytest.param(
            POST + b"Transfer-Encoding : chunked\r\n\r\n" + _chunked(BODY), 400, id="space before the colon of a coding"
        ),
        pytest.param(POST + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY, 400, id="two different lengths"),
        pytest.param(POST + LENGTH + LENGTH + b"\r\n" + BODY, 400, id="two equal lengths"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", 400, id="negative length"),
        pytest.param(POST + b"Content-Length: +2\r\n\r\n{}", 400, id="length with a plus sign"),
        pytest.param(POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400, id="length of too many digits"),
        pytest.param(POST + b"Content-Length: 0x2\r\n\r\n{}", 400, id="length in hex"),
        pytest.param(LIVE + b"Host: other\r\nConnection: close\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"GET /api/health/live HTTP/1.1\r\nConnection: close\r\n\r\n", 400, id="no host"),
        pytest.param(
            b"GET /api/health/live HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n\r\n", 400, id="malformed host"
        ),
        pytest.param(LIVE + b"X: " + b"a" * 100_000 + b"\r\n\r\n", 431, id="large header"),
        pytest.param(LIVE + b"a" * 100_000 + b": b\r\n\r\n", 431, id="large header name"),
        pytest.param(LIVE + b"X: " + b"a" * 1_000_000, 431, id="endless header"),
        pytest.param(LIVE + b"X: a\r\n" * 5_000 + b"\r\n", 431, id="many headers"),
        pytest.param(LIVE + b"X: a\r\n" * 64 + b"\r\n", 431, id="one header too many"),
        pytest.param(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, id="long url"),
        pytest.param(b"GET /" + b"a" * 1_000_000, 414, id="endless url"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: " + b"a" * 1_000_000,
            431,
            id="endless trailer",
        ),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"a" * 1_000_000, 431, id="endless chunk extension"
        ),
        pytest.param(b"GET /api/health/live\r\n\r\n", 400, id="HTTP 0.9"),
        pytest.param(b"GET /api/health/live HTTP/2.0\r\n" + HOST + b"\r\n", 400, id="HTTP 2.0"),
        pytest.param(b"GET /api/health/live HTTP/1.2\r\n" + HOST + b"\r\n", 400, id="HTTP 1.2"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="preface of HTTP 2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, 400, id="TLS"),
        pytest.param(b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="CONNECT"),
        pytest.param(b"FOO /api/jobs HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="unknown method"),
        pytest.param(b"TRACE /api/jobs HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n", 405, id="TRACE"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n", 404, id="asterisk as path"),
        pytest.param(
            b"GET http://evil.example HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n",
            400,
            id="absolute url of another host",
        ),
        pytest.param(b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="NUL in the url"),
        pytest.param(LIVE + b"X: a\r\n b\r\n\r\n", 400, id="folded header"),
        pytest.param(LIVE + b"X\x00: a\r\n\r\n", 400, id="NUL in a header name"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, id="chunk size that is none"),
        pytest.param(POST + b"Content-Length: 1000000000000\r\n\r\n", 413, id="announced body too large"),
    ],
)
@pytest.mark.asyncio
async def test_refused_with_one_problem_and_the_connection_closed(
    served: Serving, request_bytes: bytes, status: int
) -> None:
    answer = await served.raw(request_bytes)

    assert status_of(answer) == status
    assert code_of(answer)
    assert b"application/problem+json" in answer
    assert not served.api.store.jobs


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"Transfer-Encoding: chunked\r\n" + LENGTH, id="chunked and then a length"),
        pytest.param(LENGTH + b"Transfer-Encoding: chunked\r\n", id="a length and then chunked"),
        pytest.param(LENGTH + LENGTH, id="two lengths"),
        pytest.param(b"Transfer-Encoding: gzip, chunked\r\n", id="gzip and chunked"),
        pytest.param(b"Content-Length: -1\r\n", id="negative length"),
    ],
)
@pytest.mark.asyncio
async def test_length_that_is_told_in_two_ways_or_wrongly_is_explained(served: Serving, headers: bytes) -> None:
    answer = await served.raw(POST + headers + b"\r\n" + BODY)

    assert (status_of(answer), code_of(answer)) == (400, "bad_request")
    assert b"by one Content-Length, or by Transfer-Encoding: chunked alone" in answer


@pytest.mark.asyncio
async def test_body_without_length_is_cut_at_the_limit() -> None:
    async with serving(max_body_bytes=100_000) as served, served.connection() as (reader, writer):
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            writer.write(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read(4_096)

    assert (status_of(answer), code_of(answer)) == (413, "payload_too_large")
    assert not served.api.store.jobs


@pytest.mark.asyncio
async def test_chunked_body_is_accepted(served: Serving) -> None:
    answer = await served.raw(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + _chunked(BODY))

    assert status_of(answer) == 201
    assert len(served.api.store.jobs) == 1


@pytest.mark.parametrize("head", [b"GET", LIVE, LIVE + b"X: "])
@pytest.mark.asyncio
async def test_slow_headers_are_cut_off(served: Serving, head: bytes) -> None:
    answer = await served.raw(head)

    assert (status_of(answer), code_of(answer)) == (408, "request_timeout")


@pytest.mark.asyncio
async def test_every_byte_buys_no_time(served: Serving) -> None:
    async with served.connection() as (reader, writer):
        writer.write(LIVE + b"X: ")
        answer = b""
        async with asyncio.timeout(PATIENCE_S):
            while not answer:
                writer.write(b"a")
                answer = await _read_for(reader, 0.02)

    assert status_of(answer) == 408


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
@pytest.mark.asyncio
async def test_silent_connection_is_closed(served: Serving, sent: bytes) -> None:
    assert await served.raw(sent) == b""


@pytest.mark.asyncio
async def test_slow_second_request_is_cut_off_too(served: Serving) -> None:
    answer = await served.raw(LIVE + b"\r\n" + b"GET /api")

    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert (first[:3], second[:3]) == (b"200", b"408")


@pytest.mark.asyncio
async def test_slow_body_is_cut_off(served: Serving) -> None:
    answer = await served.raw(POST + b"Content-Length: 1000\r\n\r\n{")

    assert (status_of(answer), code_of(answer)) == (408, "request_timeout")
    assert not served.api.store.jobs


@pytest.mark.asyncio
async def test_body_that_ends_early_is_no_job_and_no_noise(served: Serving, caplog: pytest.LogCaptureFixture) -> None:
    async with served.connection() as (_, writer):
        writer.write(POST + LENGTH + b"\r\n" + BODY[:5])
        await writer.drain()
    await served.client.get("/api/health/live")

    await served.server.stop(5.0)

    assert not served.api.store.jobs
    assert warnings_in(caplog) == []


@pytest.mark.asyncio
async def test_refused_bytes_are_not_logged_one_by_one(served: Serving, caplog: pytest.LogCaptureFixture) -> None:
    await served.raw(b"\x16\x03\x01\r\n\r\n")

    assert warnings_in(caplog) == []


@pytest.mark.asyncio
async def test_error_behind_a_pipelined_request_does_not_mix_into_its_answer(served: Serving) -> None:
    answer = await served.raw(LIVE + b"\r\n" + b"FOO / HTTP/1.1\r\n\r\n")

    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.asyncio
async def test_pipelined_requests_are_answered_in_their_order(served: Serving) -> None:
    answer = await served.raw(LIVE + b"\r\n" + POST + b"Connection: close\r\n" + LENGTH + b"\r\n" + BODY)

    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert (first[:3], second[:3]) == (b"200", b"201")


@pytest.mark.asyncio
async def test_trailers_do_not_become_headers(served: Serving) -> None:
    body = b"%x\r\n%s\r\n0\r\nHost: evil\r\nContent-Type: text/plain\r\n\r\n" % (len(BODY), BODY)

    answer = await served.raw(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    assert status_of(answer) == 201


@pytest.mark.asyncio
async def test_upgrade_is_ignored_and_the_request_answered(served: Serving) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"

    answer = await served.raw(LIVE + upgrade + b"\r\nleft over")

    assert status_of(answer) == 200


@pytest.mark.asyncio
async def test_waiting_for_permission_to_send_is_answered() -> None:
    async with serving() as served, served.connection() as (reader, writer):
        writer.write(POST + LENGTH + b"Connection: close\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 100")
        writer.write(BODY)
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()

    assert b"HTTP/1.1 201" in answer


@pytest.mark.asyncio
async def test_one_connection_too_many_is_told_to_come_again() -> None:
    async with serving(max_connections=2) as served, served.connection() as (_, writer):
        writer.write(b"GET")
        await served.client.get("/api/health/live")

        answer = await served.raw(LIVE + b"\r\n")

    assert (status_of(answer), code_of(answer)) == (503, "too_many_connections")
    assert b"retry-after: 1" in answer


@pytest.mark.asyncio
async def test_answers_tell_neither_name_nor_version(served: Serving) -> None:
    response = await served.client.get("/api/health/live")

    assert set(response.headers) == {
        "content-type",
        "content-length",
        "x-content-type-options",
        "cache-control",
        "vary",
    }


async def _read_for(reader: asyncio.StreamReader, time_s: float) -> bytes:
    try:
        async with asyncio.timeout(time_s):
            return await reader.read(4_096)
    except TimeoutError:
        return b""
