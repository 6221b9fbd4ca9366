"""What all streams of server-sent events have in common."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

MEDIA_TYPE: Final = "text/event-stream"
# Proxies that buffer would hold the events back.
HEADERS: Final = {"X-Accel-Buffering": "no"}
HEARTBEAT_S: Final = 15.0
# How soon a browser comes back.
OPENING: Final = b"retry: 1000\n\n"


def headers_alone() -> Response:
    """Returns: what HEAD is answered."""
    return Response(headers=HEADERS, media_type=MEDIA_TYPE)


class EventStream(StreamingResponse):
    """Tells when it is over, and closes what it streamed, however it ended."""

    def __init__(self, frames: AsyncGenerator[bytes, None], left: Callable[[], None]) -> None:
        super().__init__(frames, headers=HEADERS, media_type=MEDIA_TYPE)
        self._frames = frames
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until either side ends it."""
        try:
            async with contextlib.aclosing(self._frames):
                await super().__call__(scope, receive, send)
        finally:
            self._left()
