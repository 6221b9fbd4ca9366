"""Keeps the first and the last bytes of a stream, within a limit, and counts what fell out between."""

from __future__ import annotations

from collections import deque

import attrs


@attrs.define(eq=False)
class HeadTail:
    """`limit` bytes in all: half for the head, half for the tail. Bounded whatever the sizes of the chunks."""

    limit: int
    dropped: int = 0
    _head: bytearray = attrs.field(factory=bytearray, init=False)
    _tail: deque[bytes] = attrs.field(factory=deque, init=False)
    _tail_bytes: int = attrs.field(default=0, init=False)

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of the stream."""
        room = self.limit // 2 - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        if chunk:
            self._tail.append(bytes(chunk))
            self._tail_bytes += len(chunk)
            self._trim()

    def _trim(self) -> None:
        excess = self._tail_bytes - (self.limit - self.limit // 2)
        while excess > 0:
            first = self._tail.popleft()
            if len(first) > excess:
                self._tail.appendleft(first[excess:])
            gone = min(len(first), excess)
            excess -= gone
            self._tail_bytes -= gone
            self.dropped += gone

    @property
    def head(self) -> bytes:
        """The first bytes, up to the end of a line where more follows."""
        return bytes(self._head[: self._cut()])

    @property
    def tail(self) -> bytes:
        """The last bytes, from the start of a line; with the head they are the whole where nothing was dropped."""
        tail = b"".join(self._tail)
        if self.dropped:
            return tail[tail.find(b"\n") + 1 :]
        return bytes(self._head[self._cut() :]) + tail

    @property
    def left_out(self) -> int:
        """How many bytes stand neither in `head` nor in `tail`."""
        if not self.dropped:
            return 0
        return self.dropped + len(self._head) + self._tail_bytes - len(self.head) - len(self.tail)

    def _cut(self) -> int:
        # A character or a terminal code must not be torn in two: they do not run over the end of a line.
        return self._head.rfind(b"\n") + 1 or len(self._head) if self._tail else len(self._head)
