"""Reads a request's body: at most so many bytes, within so much time, and not of a media type that is not read here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from starlette.requests import ClientDisconnect, Request

from chef_supervisor.api.errors import RequestTimeout
from chef_supervisor.domain.errors import TooLarge, UnsupportedMedia
from chef_supervisor.kernel import Within

_JSON: Final = re.compile(r'application/json\s*(;\s*charset\s*=\s*("utf-8"|utf-8)\s*)?;?\s*', re.IGNORECASE)
_MAX_SHOWN: Final = 80
_MAX_DIGITS: Final = 20


def require_json(request: Request) -> None:
    """
    Refuse what is not JSON in UTF-8 before a byte of it is read.

    Raises:
        UnsupportedMedia: another type, another charset, a compressed body, or no Content-Type.
    """
    kinds = request.headers.getlist("content-type")
    if len(kinds) != 1 or _JSON.fullmatch(kinds[0]) is None:
        raise UnsupportedMedia(", ".join(kinds)[:_MAX_SHOWN])
    require_plain(request)


def require_plain(request: Request) -> None:
    """
    Refuse a body that is compressed as a whole.

    Raises:
        UnsupportedMedia: it is.
    """
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise UnsupportedMedia(f"Content-Encoding {coding[:_MAX_SHOWN]}")


async def read_body(request: Request, limit_bytes: int, timeout_s: float) -> bytes:
    """
    Returns: the whole body.

    Raises:
        TooLarge, RequestTimeout: as receive_body.
    """
    chunks: list[bytes] = []
    await receive_body(request, limit_bytes, timeout_s, chunks.append)
    return b"".join(chunks)


async def receive_body(request: Request, limit_bytes: int, timeout_s: float, take: Callable[[bytes], object]) -> None:
    """
    Give the body to `take`, piece by piece as it comes; what that raises ends the reading.

    Raises:
        TooLarge: by its Content-Length before a byte is read, or at the limit, whatever was announced.
        RequestTimeout: it was not whole in time.
    """
    if _announced(request) > limit_bytes:
        raise TooLarge("payload_too_large", "", limit_bytes)
    try:
        async with Within(timeout_s):
            await _receive(request, limit_bytes, take)
    except TimeoutError as error:
        raise RequestTimeout(timeout_s) from error


def _announced(request: Request) -> int:
    text = request.headers.get("content-length", "")
    # The server has refused what is no number; digits are bounded, because Python limits those of an int.
    return int(text[:_MAX_DIGITS]) if text.isascii() and text.isdecimal() else 0


async def _receive(request: Request, limit_bytes: int, take: Callable[[bytes], object]) -> None:
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise TooLarge("payload_too_large", "", limit_bytes)
        take(chunk)
        more = message.get("more_body", False)
