"""How much is read of an answer, and what is kept of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import attrs
import httpcore

# Of a body that nobody looks at: it is read so that the connection can be used again.
MOST_ANSWER_BYTES: Final = 4096


@attrs.frozen(kw_only=True)
class Reply:
    """
    An HTTP answer. `retry_after`: that header as it came, empty without. `body` is its beginning, as much as was asked
    for; `whole`: whether that is all of it.
    """

    status: int
    retry_after: str = ""
    body: bytes = attrs.field(default=b"", repr=False)
    whole: bool = True


def reply_of(response: httpcore.Response, body: bytes = b"", *, whole: bool = True) -> Reply:
    """Returns: what is looked at of an answer."""
    headers = {name.lower(): value for name, value in response.headers}
    retry_after = headers.get(b"retry-after", b"").decode("latin-1")
    return Reply(status=response.status, retry_after=retry_after, body=body, whole=whole)


async def read_a_little(response: httpcore.Response, most_s: float) -> None:
    """Let go of the connection; one that has more to say, or says it slowly, is closed."""
    with contextlib.suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        async with asyncio.timeout(most_s):
            await read_beginning(response, MOST_ANSWER_BYTES)


async def read_beginning(response: httpcore.Response, most_bytes: int) -> tuple[bytes, bool]:
    """
    Returns: the body's beginning, packed where the other side packs it, and whether that is all of it. The connection
        is closed where there is more.
    """
    content = bytearray()
    try:
        async for part in response.aiter_stream():
            content += part
            if len(content) > most_bytes:
                return bytes(content[:most_bytes]), False
    finally:
        await response.aclose()
    return bytes(content), True
