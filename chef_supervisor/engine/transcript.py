"""What the boxes of a run print, as pieces of its log: each with its place in all that was printed."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from chef_supervisor.domain.job_log import MOST_PIECE_BYTES, LogPiece
from chef_supervisor.domain.work import BoxEvent, LiveOutput, StepEnded, StepOutput, StepStarted, StepTail, Work
from chef_supervisor.engine.record import command_line


@attrs.define(eq=False)
class Transcript:
    """
    Takes the events of a run, box after box, and says what is new in its log.

    Bytes that were not told leave a gap between the places of two pieces; nothing stands there twice, although the end
    of a step's output is told again when the step is over.
    """

    run: int
    _at: int = attrs.field(default=0, init=False)
    _step: str = attrs.field(default="", init=False)
    # Of the step: how many bytes after the first ones have been passed, and the last ones as they are told.
    _passed: int = attrs.field(default=0, init=False)
    _tail: list[StepTail] = attrs.field(factory=list, init=False)

    def hear(self, work: Work, event: BoxEvent) -> Iterator[LogPiece]:
        """Yield the pieces that the event of a box at that work adds."""
        match event:
            case StepStarted(index) if index < len(work.steps):
                self._step, self._passed = work.steps[index].name, 0
                self._tail.clear()
                yield from self._add(command_line(work.steps[index]))
            case StepOutput(_, chunk):
                yield from self._add(chunk)
            case LiveOutput():
                self._at += event.skipped_bytes
                self._passed += event.skipped_bytes + event.printed_bytes
                yield from self._add(event.chunk)
            case StepTail():
                self._tail.append(event)
            case StepEnded(dropped_bytes=dropped_bytes):
                yield from self._end(dropped_bytes)
            case _:
                return

    def _end(self, dropped_bytes: int) -> Iterator[LogPiece]:
        known = self._passed - dropped_bytes
        self._at += max(0, -known)
        for tail in self._tail:
            yield from self._add(tail.chunk[max(0, known) :] if known < tail.printed_bytes else b"")
            known -= tail.printed_bytes
        self._tail.clear()

    def _add(self, content: bytes) -> Iterator[LogPiece]:
        for start in range(0, len(content), MOST_PIECE_BYTES):
            part = content[start : start + MOST_PIECE_BYTES]
            self._at += len(part)
            yield LogPiece(run=self.run, step=self._step, end=self._at, content=part)
