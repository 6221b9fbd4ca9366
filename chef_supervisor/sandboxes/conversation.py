"""One box's whole conversation over any line: hello, the work, the events until its verdict."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, Work
from chef_supervisor.sandboxes.hearing import Hearing
from chef_supervisor.sandboxes.wire import HELLO_LIMITS, Frame, FrameReader, Garbled, answer_limits, encode_work

_log: Final = logging.getLogger(__name__)


class Line(Protocol):
    """Bytes to and from one box."""

    async def read(self) -> bytes:
        """Returns: the next bytes; empty at the end, whatever ended it."""

    async def write(self, chunk: bytes) -> None:
        """
        Send all of it, waiting for room.

        Raises:
            OSError: nobody takes it any more.
        """


class Conversation:
    """
    Used by one box, once.

    Args:
        why: asked where the verdict is missing: what the engine knows of the end.
        grace_s: how long past the work's own time the verdict may take.
        check: asked where nothing came in that time: raises where the engine is to blame, and not the box.
    """

    def __init__(
        self,
        line: Line,
        why: Callable[[], Awaitable[EndedBy]],
        grace_s: float,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._line = line
        self._why = why
        self._grace_s = grace_s
        self._check = check
        self._reader = FrameReader(HELLO_LIMITS)
        self._begun = False

    async def hello(self) -> bool:
        """Returns: whether the agent said hello; False where the line ended or said something else."""
        try:
            while chunk := await self._line.read():
                if list(self._reader.feed(chunk)):
                    return True
        except Garbled as error:
            _log.warning("a box began with nonsense: %s", error, extra={"event": "box.garbled"})
        return False

    async def run(self, work: Work, limits: Mapping[str, int]) -> AsyncIterator[BoxEvent]:
        """
        Give the work and yield what the box tells; the last event is BoxEnded, exactly once.

        Raises:
            SandboxUnavailable: by `why` or `check`, where the engine rather than the box failed.
        """
        if self._begun:
            raise Bug
        self._begun = True
        self._reader.limits = answer_limits(work)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + work.timeout_s + self._grace_s
        hearing, overdue = Hearing(work), False
        # Both at once: a box that dies early takes nothing any more, and only its end tells.
        giving = loop.create_task(self._give(work, limits))
        try:
            while frames := await self._hear(deadline):
                told_at = loop.time()
                for kind, payload in frames:
                    event = hearing.hear(kind, payload)
                    yield event
                    if isinstance(event, BoxEnded):
                        return
                # What the caller does with an event is not the box's time: artifacts may go to a slow store.
                deadline += loop.time() - told_at
        except TimeoutError:
            overdue = True
        except Garbled as error:
            _log.warning("a box said nonsense: %s", error, extra={"event": "box.garbled"})
            yield BoxEnded(complete=False, ended_by=EndedBy.KILLED, warnings=("the box broke its protocol",))
            return
        finally:
            giving.cancel()
        yield BoxEnded(complete=False, ended_by=await (self._overdue() if overdue else self._why()))

    async def _overdue(self) -> EndedBy:
        if self._check is not None:
            await self._check()
        return EndedBy.TIMEOUT

    async def _give(self, work: Work, limits: Mapping[str, int]) -> None:
        # Where it ended early, what it said before that is still to be read.
        with suppress(OSError):
            for piece in encode_work(work, limits):
                await self._line.write(piece)

    async def _hear(self, deadline: float) -> list[Frame]:
        """Returns: at least one whole frame; none at the end of the line."""
        # The deadline spans no `yield`: there it would strike the caller's own code.
        async with asyncio.timeout_at(deadline):
            while chunk := await self._line.read():
                if frames := list(self._reader.feed(chunk)):
                    return frames
        return []
