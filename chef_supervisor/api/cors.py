"""Cross-origin requests: which web pages may call the API from a browser."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    """Names the caller's origin in the answer where it is an allowed one; no credentials are ever allowed."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = Origins(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        granted = self._granted(headers.get(b"origin"))
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _answer_preflight(send, granted)
            return

        async def send_granted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *granted]
            await send(message)

        await self._app(scope, receive, send_granted)

    def _granted(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        if self._origins.any:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        vary = (b"vary", b"Origin")
        if origin is None or not self._origins.allow(origin):
            return [vary]
        return [(b"access-control-allow-origin", origin), _EXPOSED, vary]


async def _answer_preflight(send: Send, granted: list[tuple[bytes, bytes]]) -> None:
    # A foreign origin gets its 204 without a grant: the browser refuses, and nothing is told.
    headers = [*granted, *_PREFLIGHT]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
