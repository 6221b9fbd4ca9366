"""Keeps the first and the last bytes of a stream, within a limit, and counts what fell out between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs


@attrs.define(eq=False)
class HeadTail:
    """
    `limit` bytes of the beginning and as many of the end. Bounded whatever the sizes of the chunks.

    `dropped`: how many bytes between them are not here, because they were never given or there was no room.
    `title`: a line that stands before the first bytes, and is never dropped.
    """

    limit: int
    title: bytes = b""
    dropped: int = 0
    _head: bytearray = attrs.field(factory=bytearray, init=False)
    _tail: deque[bytes] = attrs.field(factory=deque, init=False)
    _tail_bytes: int = attrs.field(default=0, init=False)
    # The first bytes have all been given, be they fewer than there is room for.
    _ending: bool = attrs.field(default=False, init=False)

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of the stream."""
        room = self.limit - len(self._head)
        if room > 0 and not self._ending and not self._tail:
            self._head += chunk[:room]
            chunk = chunk[room:]
        if chunk:
            self._tail.append(bytes(chunk))
            self._tail_bytes += len(chunk)
            self._trim()

    def skip(self, count: int) -> None:
        """
        So many bytes of the stream are not given; from now on what follows belongs to the end, also where it is none.

        Where it is more than none, what came after the head so far is not the end any more.
        """
        self._ending = True
        if count > 0:
            self.dropped += count + self._tail_bytes
            self._tail.clear()
            self._tail_bytes = 0

    def begin_tail(self) -> None:
        """Forget all that followed the head: the last bytes of the stream are given now."""
        self._ending = True
        self.dropped = 0
        self._tail.clear()
        self._tail_bytes = 0

    def shrink(self, limit: int) -> None:
        """Keep no more than `limit` bytes of each end from now on."""
        self.limit = min(limit, self.limit)
        surplus = bytes(self._head[self.limit :])
        del self._head[self.limit :]
        if surplus and not self.dropped:
            self._tail.appendleft(surplus)
            self._tail_bytes += len(surplus)
        else:
            self.dropped += len(surplus)
        self._trim()

    @property
    def kept(self) -> int:
        """How many bytes are held."""
        return len(self.title) + len(self._head) + self._tail_bytes

    @property
    def head(self) -> bytes:
        """The first bytes, up to the end of a line where more follows."""
        return self.title + self._head[: self._cut()]

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
        return self.dropped + self.kept - len(self.head) - len(self.tail)

    def _trim(self) -> None:
        excess = self._tail_bytes - self.limit
        while excess > 0:
            first = self._tail.popleft()
            if len(first) > excess:
                self._tail.appendleft(first[excess:])
            gone = min(len(first), excess)
            excess -= gone
            self._tail_bytes -= gone
            self.dropped += gone

    def _cut(self) -> int:
        # A character or a terminal code must not be torn in two: they do not run over the end of a line.
        more = bool(self._tail) or self.dropped > 0
        return self._head.rfind(b"\n") + 1 or len(self._head) if more else len(self._head)


def shrink_to_fit(outputs: Iterable[HeadTail], most_bytes: int) -> None:
    """Shrink the largest ones until all together keep at most so many bytes; those below a fair share stay whole."""
    by_size = sorted(outputs, key=lambda output: output.kept)
    left = most_bytes
    for index, output in enumerate(by_size):
        share = left // (len(by_size) - index)
        if output.kept > share:
            output.shrink(max(0, share - len(output.title)) // 2)
        left -= output.kept
