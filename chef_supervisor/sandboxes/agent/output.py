"""What a step prints, bounded: its first bytes as they come, its last ones at its end, some of the rest live."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_SEGMENT = 16_384


class Tail:
    """The last `limit` bytes; `dropped` counts those before them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._segments: deque[bytearray] = deque()
        self._held = 0
        self.dropped = 0

    def keep(self, chunk: bytes) -> None:
        """Take bytes in, and drop the oldest where there are too many."""
        last = self._segments[-1] if self._segments else None
        # Small prints share a segment: a hundred bytes of bookkeeping for each single one would burst the bound.
        if last is not None and len(last) + len(chunk) <= _SEGMENT:
            last.extend(chunk)
        else:
            self._segments.append(bytearray(chunk))
        self._held += len(chunk)
        self._trim()

    def bytes(self) -> bytes:
        """Returns: what is held."""
        return b"".join(self._segments)

    def _trim(self) -> None:
        while self._held > self._limit:
            oldest = self._segments[0]
            surplus = min(self._held - self._limit, len(oldest))
            del oldest[:surplus]
            self._held -= surplus
            self.dropped += surplus
            if not oldest:
                self._segments.popleft()


class Trickle:
    """
    Lets through so many bytes a second, and as many at once at most. One for all steps of a box.

    Once it ran dry it lets nothing through until it is a quarter full: a reader has more from whole passages with wide
    gaps than from a few bytes of every line.
    """

    def __init__(self, bytes_per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes_per_s = bytes_per_s
        self._clock = clock
        self._left = float(bytes_per_s)
        self._dry = False
        self._at = clock()

    def admit(self, chunk: bytes) -> bytes:
        """Returns: as much of its beginning as may pass now."""
        now = self._clock()
        self._left = min(self._bytes_per_s, self._left + (now - self._at) * self._bytes_per_s)
        self._at = now
        if self._dry and self._left < self._bytes_per_s / 4:
            return b""
        passed = chunk[: int(self._left)]
        self._left -= len(passed)
        self._dry = len(passed) < len(chunk)
        return passed


class StepOutput:
    """Splits what one step prints into what is sent at once, what may be told live, and what waits in the tail."""

    def __init__(self, limit: int, trickle: Trickle) -> None:
        self._head_left = limit
        self._trickle = trickle
        self._skipped = 0
        self.tail = Tail(limit)

    def head(self, chunk: bytes) -> bytes:
        """Returns: the part of it that belongs to the head; give what follows it to `live`."""
        head = chunk[: self._head_left]
        self._head_left -= len(head)
        return head

    def live(self, rest: bytes) -> tuple[int, bytes]:
        """Returns: how many bytes before it were not told, and of what follows the head the part that may be told now."""
        self.tail.keep(rest)
        told = self._trickle.admit(rest)
        if not told:
            self._skipped += len(rest)
            return 0, b""
        skipped, self._skipped = self._skipped, len(rest) - len(told)
        return skipped, told
