"""What the steps print, bounded: the first half as it comes, the last half kept until the end, the middle counted."""

from __future__ import annotations

from collections import deque

_SEGMENT = 16_384


class Tail:
    """The last `limit` bytes, each with the step that printed it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._segments: deque[tuple[int, bytearray]] = deque()
        self._held = 0
        self.dropped = 0

    def keep(self, index: int, chunk: bytes) -> None:
        """Take bytes in, and drop the oldest where there are too many."""
        last = self._segments[-1] if self._segments else None
        # Small prints share a segment: a hundred bytes of bookkeeping for each single one would burst the bound.
        if last and last[0] == index and len(last[1]) + len(chunk) <= _SEGMENT:
            last[1].extend(chunk)
        else:
            self._segments.append((index, bytearray(chunk)))
        self._held += len(chunk)
        self._trim()

    def take(self) -> list[tuple[int, bytes]]:
        """Returns: what is held, oldest first; nothing is held afterwards."""
        taken = [(index, bytes(segment)) for index, segment in self._segments]
        self._segments.clear()
        self._held = 0
        return taken

    def _trim(self) -> None:
        while self._held > self._limit:
            _, oldest = self._segments[0]
            surplus = min(self._held - self._limit, len(oldest))
            del oldest[:surplus]
            self._held -= surplus
            self.dropped += surplus
            if not oldest:
                self._segments.popleft()


class Bounded:
    """Splits the output of all steps together into what is sent at once and what waits in the tail."""

    def __init__(self, limit: int) -> None:
        self._head_left = limit // 2
        self.tail = Tail(limit - limit // 2)

    def admit(self, index: int, chunk: bytes) -> bytes:
        """Returns: the part of the chunk that still belongs to the head; the rest is kept in the tail."""
        head, rest = chunk[: self._head_left], chunk[self._head_left :]
        self._head_left -= len(head)
        if rest:
            self.tail.keep(index, rest)
        return head
