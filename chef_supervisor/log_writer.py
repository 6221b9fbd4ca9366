"""The log of a run on its way to the store. It never holds up the run: what cannot be written is left out, and counted."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

import attrs

from chef_supervisor.domain.errors import Bug, StoreUnavailable
from chef_supervisor.domain.job import Claim
from chef_supervisor.domain.job_log import MOST_PIECE_BYTES, LogPiece
from chef_supervisor.domain.work import BoxEvent, Work
from chef_supervisor.engine.transcript import Transcript
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.runner")

# Four writes a second, and the last one when the run is over.
PAUSE_S: Final = 0.25
# After one that failed: the store has other things to do.
_LONG_PAUSE_S: Final = 2.0
_LAST_WRITE_S: Final = 1.0
# What a piece costs besides its bytes.
_PIECE_BYTES: Final = 200


@attrs.define(eq=False)
class Pending:
    """Pieces that wait to be written, at most so many bytes; the oldest are left out where there are more."""

    room_bytes: int
    left_out_bytes: int = 0
    _pieces: deque[LogPiece] = attrs.field(factory=deque, init=False)
    _bytes: int = attrs.field(default=0, init=False)
    # Whether the newest may grow: one that may have been written already must stay what it was.
    _grows: bool = attrs.field(default=False, init=False)

    def add(self, piece: LogPiece) -> None:
        """Append one."""
        last = self._pieces[-1] if self._pieces and self._grows else None
        self._grows = True
        if last is not None and _follows(last, piece):
            self._pieces[-1] = attrs.evolve(piece, content=last.content + piece.content)
            self._bytes += len(piece.content)
        else:
            self._pieces.append(piece)
            self._bytes += _weight(piece)
        self._trim()

    def take(self) -> Sequence[LogPiece]:
        """Returns: all of them; none waits any more."""
        pieces = tuple(self._pieces)
        self._pieces.clear()
        self._bytes = 0
        return pieces

    def put_back(self, pieces: Sequence[LogPiece]) -> None:
        """Let them wait again, before those that came meanwhile."""
        self._grows = self._grows and bool(self._pieces)
        self._pieces.extendleft(reversed(pieces))
        self._bytes += sum(map(_weight, pieces))
        self._trim()

    def _trim(self) -> None:
        while self._bytes > self.room_bytes and self._pieces:
            oldest = self._pieces.popleft()
            self._bytes -= _weight(oldest)
            self.left_out_bytes += len(oldest.content)


@attrs.define(eq=False)
class LogWriter:
    """
    One for each run. `run` writes while the run goes on, `close` writes the rest.

    `room_bytes`: so much waits while the store is away.
    """

    claim: Claim
    store: JobStore
    room_bytes: int = 1 << 20
    _transcript: Transcript = attrs.field(init=False)
    _pending: Pending = attrs.field(init=False)
    _more: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _writing: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)
    # Nothing is written any more: the job is somebody else's, or its log is broken.
    _given_up: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing printed."""
        self._transcript = Transcript(self.claim.run.number)
        self._pending = Pending(self.room_bytes)

    def hear(self, work: Work, event: BoxEvent) -> None:
        """Take an event of a box at that work; returns at once."""
        if self._given_up:
            return
        for piece in self._transcript.hear(work, event):
            self._pending.add(piece)
            self._more.set()

    async def run(self) -> None:
        """Write what comes, some times a second, until cancelled or until nothing may be written any more."""
        while not self._given_up:
            await self._more.wait()
            self._more.clear()
            await asyncio.sleep(PAUSE_S if await self._write() else _LONG_PAUSE_S)

    async def close(self) -> None:
        """Write what is left, if the store takes it within a second. Call it before the run's end is told."""
        try:
            async with asyncio.timeout(_LAST_WRITE_S):
                await self._write()
        except TimeoutError:
            pass
        self._given_up = True
        lost = self._pending.left_out_bytes + sum(len(piece.content) for piece in self._pending.take())
        if lost:
            extra = {"event": "log.left_out", "job_id": self.claim.job_id, "bytes": lost}
            log.warning("%d bytes of the log of job %s were not written", lost, self.claim.job_id, extra=extra)

    async def _write(self) -> bool:
        """Returns: whether the store took all that waited; what it did not take waits on."""
        # One after the other: places rise, and what is below the newest counts as written.
        async with self._writing:
            pieces = self._pending.take()
            taken = not pieces
            try:
                taken = taken or await self._append(pieces)
            finally:
                if not taken and not self._given_up:
                    self._pending.put_back(pieces)
                    self._more.set()
            return taken

    async def _append(self, pieces: Sequence[LogPiece]) -> bool:
        try:
            is_ours = await self.store.append_log(self.claim.job_id, self.claim.fence, pieces)
        except StoreUnavailable as error:
            log.debug("the log of %s was not written: %s", self.claim.job_id, error)
            return False
        except Bug as error:
            # A log that cannot be written is no reason to end its job.
            extra = {"event": "log.broken", "job_id": self.claim.job_id}
            log.warning("the log of job %s is not written any more: %s", self.claim.job_id, error, extra=extra)
            is_ours = False
        self._given_up = not is_ours
        return is_ours


def _follows(last: LogPiece, piece: LogPiece) -> bool:
    fits = len(last.content) + len(piece.content) <= MOST_PIECE_BYTES
    return fits and last.step == piece.step and last.end == piece.start


def _weight(piece: LogPiece) -> int:
    return len(piece.content) + _PIECE_BYTES
