"""One reader's place at the feed: a bounded buffer that the feed fills and the reader empties."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TypeAlias

from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.store.answers import Gap, JobEvent

Entry: TypeAlias = JobEvent | Gap


class Subscription:
    """Entries in their order. A reader that is too slow loses what it did not take, and finds a Gap in its place."""

    def __init__(self, queues: tuple[QueueName, ...], job_id: JobId | None, room: int) -> None:
        self.queues = queues
        self.job_id = job_id
        self._room = room
        # Written by the feed through offer() and end(), emptied by the reader through take().
        self._buffer: deque[Entry] = deque()
        self._filled = asyncio.Event()
        self._ended = False

    @property
    def idle(self) -> bool:
        """Whether everything offered has been taken."""
        return not self._buffer

    def offer(self, entry: Entry) -> None:
        """Append; never blocks the feed."""
        if len(self._buffer) >= self._room:
            self._drop_all()
        self._buffer.append(entry)
        self._filled.set()

    def end(self) -> None:
        """No more will come; what is buffered can still be taken."""
        self._ended = True
        self._filled.set()

    async def take(self) -> list[Entry]:
        """Returns: what has come since the last call, at least one entry; empty once the feed has ended."""
        # Cancelled while it waits it has taken nothing, so a time limit around it loses nothing.
        while not self._buffer and not self._ended:
            self._filled.clear()
            await self._filled.wait()
        entries = list(self._buffer)
        self._buffer.clear()
        return entries

    def _drop_all(self) -> None:
        last = {entry.queue: entry.position for entry in self._buffer}
        self._buffer.clear()
        self._buffer.extend(Gap(queue, position) for queue, position in last.items())
