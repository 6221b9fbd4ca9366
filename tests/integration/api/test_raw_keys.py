"""Keys that only a raw connection can send."""

from __future__ import annotations

import pytest

from tests.integration.api.server_kit import Serving, code_of, status_of
from tests.integration.api.test_protocol import BODY, LENGTH, POST


@pytest.mark.parametrize(
    "header",
    [
        b"Idempotency-Key:\r\n",
        b"Idempotency-Key:    \r\n",
        b"Idempotency-Key: a\r\nIdempotency-Key: a\r\n",
        b"Idempotency-Key: a\r\nIDEMPOTENCY-KEY: b\r\n",
        b"Idempotency-Key: caf\xc3\xa9\r\n",
        b"Idempotency-Key: \xff\r\n",
        b"Idempotency-Key: a b\r\n",
        b"Idempotency-Key: " + b"k" * 256 + b"\r\n",
    ],
)
@pytest.mark.asyncio
async def test_bad_keys_are_refused_before_the_body_is_read(served: Serving, header: bytes) -> None:
    # No byte of the body is sent: who waits for it does not answer.
    answer = await served.raw(POST + header + LENGTH + b"\r\n")

    assert (status_of(answer), code_of(answer)) == (400, "invalid_idempotency_key")
    assert b"connection: close" in answer.lower()
    assert not served.api.store.jobs


@pytest.mark.parametrize("header", [b"Idempotency-Key: a\r\n b\r\n", b"Idempotency-Key: a\x00b\r\n"])
@pytest.mark.asyncio
async def test_keys_that_are_no_http_are_refused_as_such(served: Serving, header: bytes) -> None:
    answer = await served.raw(POST + header + LENGTH + b"\r\n" + BODY)

    assert (status_of(answer), code_of(answer)) == (400, "bad_request")
    assert not served.api.store.jobs


@pytest.mark.asyncio
async def test_key_with_line_breaks_is_cut_where_its_line_ends(served: Serving) -> None:
    header = b"Connection: close\r\nIdempotency-Key: a\r\nX-Other: b\r\n"

    answer = await served.raw(POST + header + LENGTH + b"\r\n" + BODY)

    [held] = served.api.store.jobs.values()
    assert status_of(answer) == 201
    assert held.job.idempotency is not None
    assert held.job.idempotency.key == "a"


@pytest.mark.asyncio
async def test_surrounding_spaces_are_no_part_of_a_key(served: Serving) -> None:
    await served.raw(POST + b"Connection: close\r\nIdempotency-Key:  \t a \t \r\n" + LENGTH + b"\r\n" + BODY)

    [held] = served.api.store.jobs.values()
    assert held.job.idempotency is not None
    assert held.job.idempotency.key == "a"
