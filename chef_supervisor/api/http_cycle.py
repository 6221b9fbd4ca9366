"""uvicorn's way from a request to its answer, but that an answer of known length goes out in one write."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)


class Cycle(RequestResponseCycle):
    """
    One request. The head of an answer waits for the body where its length is known, for then that follows at once.

    To write is what costs most, and a packet of its own for the head is one more that both sides handle.
    """

    _head: Any = None
    _length: int | None = None

    async def send(self, message: Any) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._length = _length(message["headers"])
            if self._length is not None:
                self._head = message
                return
        head, self._head = self._head, None
        if head is not None:
            if self._is_whole(message):
                self._answer(head, message["body"])
                return
            await super().send(head)
        await super().send(message)

    async def send_500_response(self) -> None:
        """Answer that the app failed; where it had begun an answer, only close: nobody is to take that for the whole."""
        if self._head is not None:
            self.transport.close()
        else:
            await super().send_500_response()

    def _is_whole(self, message: Any) -> bool:
        """Returns: whether this is all that follows the head, and both can be written now."""
        return (
            len(message.get("body", b"")) == self._length
            and not message.get("more_body", False)
            and not (self.disconnected or self.flow.write_paused)
            and self.scope["method"] != "HEAD"
        )

    def _answer(self, head: Any, body: bytes) -> None:
        self.response_started = self.response_complete = True
        lines = [STATUS_LINE[head["status"]], *(_line(name, value) for name, value in head["headers"])]
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((*lines, end, body)))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Returns: the body's; None where it is not told, or something else is told of the connection."""
    told: int | None = None
    for name, value in headers:
        if name == b"content-length":
            told = int(value)
        elif name in (b"connection", b"transfer-encoding"):
            return None
    return told


# Most headers are the same in every answer.
@functools.lru_cache(maxsize=1024)
def _line(name: bytes, value: bytes) -> bytes:
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        msg = f"the header {name!r} cannot be sent: {value!r}"
        raise RuntimeError(msg)
    return name.lower() + b": " + value + b"\r\n"
