"""
Pieces of a log as a reader gets them: whole lines of one step, and a word wherever something is missing.

Lines, because neither a character, nor a terminal code, nor a path runs over the end of one: what is cut there can be
made readable by itself. Only a line that does not end for long is cut within.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

import attrs

from chef_supervisor.domain.job_log import LogPiece, LogPosition

_MOST_BYTES: Final = 16_384
_LONGEST_LINE_BYTES: Final = 8_192
# A terminal code that begins so shortly before a cut may run over it.
_CODE_BYTES: Final = 32


@attrs.frozen(kw_only=True)
class Printed:
    """Lines of one step. `position`: the place right behind them, here and in the others."""

    step: str
    content: bytes
    position: LogPosition


@attrs.frozen(kw_only=True)
class Missing:
    """So many bytes were printed here and are not kept."""

    dropped_bytes: int
    position: LogPosition


@attrs.frozen(kw_only=True)
class Restarted:
    """The job runs again, and its log begins anew."""

    position: LogPosition


LogEntry: TypeAlias = Printed | Missing | Restarted


@attrs.define(eq=False)
class LogLines:
    """One reader's way through a log. `position`: the place up to which it was handed out."""

    position: LogPosition
    _step: str = attrs.field(default="", init=False)
    # What follows `position` and is no whole line yet.
    _held: bytearray = attrs.field(factory=bytearray, init=False)

    def feed(self, piece: LogPiece) -> Iterator[LogEntry]:
        """Yield what can be handed out now; `piece` is the next that the store has."""
        if piece.run != self.position.run:
            yield from self._begin(piece.run)
        fed = self.position.at + len(self._held)
        if piece.start > fed:
            yield from self.flush()
            self._advance(piece.start - fed)
            yield Missing(dropped_bytes=piece.start - fed, position=self.position)
        if piece.step != self._step:
            yield from self.flush()
            self._step = piece.step
        self._held += piece.content[max(0, fed - piece.start) :]
        while end := _end_of_lines(self._held):
            yield self._hand_out(end)

    def flush(self) -> Iterator[LogEntry]:
        """Yield what is held: no more of its line will come."""
        while self._held:
            yield self._hand_out(_end_of_lines(self._held) or len(self._held))

    def _begin(self, run: int) -> Iterator[LogEntry]:
        had_begun = self.position.run > 0
        yield from self.flush()
        self.position = LogPosition(run)
        if had_begun:
            yield Restarted(position=self.position)

    def _hand_out(self, end: int) -> Printed:
        content = bytes(self._held[:end])
        del self._held[:end]
        self._advance(end)
        return Printed(step=self._step, content=content, position=self.position)

    def _advance(self, count: int) -> None:
        self.position = attrs.evolve(self.position, at=self.position.at + count)


def _end_of_lines(held: bytearray) -> int:
    """Returns: how many bytes are whole lines, or enough of one that does not end; 0 where more should come first."""
    end = held.rfind(b"\n", 0, _MOST_BYTES) + 1
    if end or len(held) < _LONGEST_LINE_BYTES:
        return end
    return held.rfind(b" ", _LONGEST_LINE_BYTES // 2, _LONGEST_LINE_BYTES) + 1 or _between_characters(held)


def _between_characters(held: bytearray) -> int:
    end = _LONGEST_LINE_BYTES
    code = held.rfind(b"\x1b", end - _CODE_BYTES, end)
    if code >= 0:
        return code
    # The bytes of a UTF-8 character after its first are 10xxxxxx, three at most.
    return next((at for at in range(end, end - 4, -1) if at >= len(held) or held[at] & 0xC0 != 0x80), end)
