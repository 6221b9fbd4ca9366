"""Cross-origin requests: which web pages may call the API from a browser."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from starlette.types import Send

Headers: TypeAlias = list[tuple[bytes, bytes]]

_LOCAL: Final = re.compile(rb"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
_PREFLIGHT: Final = [
    (b"access-control-allow-methods", b"DELETE, GET, HEAD, POST"),
    (b"access-control-allow-headers", b"content-type, idempotency-key, last-event-id"),
    (b"access-control-max-age", b"600"),
]
_EXPOSED: Final = (b"access-control-expose-headers", b"idempotent-replayed, location, retry-after")


class Origins:
    """
    Which pages may call.

    Args:
        origins: whole origins, `local` for this machine on any port, `*` for all.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self.any = "*" in origins
        self._local = "local" in origins
        self._listed = frozenset(origin.rstrip("/").encode() for origin in origins)

    def allow(self, origin: bytes) -> bool:
        """Returns: whether a page of that origin may call."""
        return self.any or origin in self._listed or (self._local and _LOCAL.fullmatch(origin) is not None)


class Cors:
    """What an answer grants to the page that asked: its origin is named where it may call; never any credentials."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = Origins(origins)

    def granted(self, origin: bytes | None) -> Headers:
        """Returns: the headers for a page of that origin; None: no page asked, or it did not say."""
        if self._origins.any:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        vary = (b"vary", b"Origin")
        if origin is None or not self._origins.allow(origin):
            return [vary]
        return [(b"access-control-allow-origin", origin), _EXPOSED, vary]


async def answer_preflight(send: Send, added: Headers) -> None:
    """Answer; `added` is what every answer to that page has."""
    # A foreign origin gets its 204 without a grant: the browser refuses, and nothing is told.
    await send({"type": "http.response.start", "status": 204, "headers": [*added, *_PREFLIGHT]})
    await send({"type": "http.response.body", "body": b""})
