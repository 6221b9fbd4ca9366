"""
One reader that follows the log of a job: it takes from the store what it can pass on, and no more.

Nothing waits for it anywhere: one that is too slow finds a gap where the log was trimmed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, TypeAlias

from chef_supervisor.api.log_lines import LogEntry, LogLines
from chef_supervisor.api.subscription import Entry, Subscription
from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.domain.job_log import LogPosition
from chef_supervisor.store.answers import Gap
from chef_supervisor.store.job_store import JobStore

# As often as a log is written to.
_POLL_S: Final = 0.25
_PIECES_AT_ONCE: Final = 16

# None: nothing came for a while.
Followed: TypeAlias = LogEntry | JobStatus | None


class LogFollower:
    """
    Args:
        subscription: of that job; older than the first read.
        after: the last place that the reader saw.
        heartbeat_s: how long a silence lasts before it is told.
    """

    def __init__(
        self, store: JobStore, subscription: Subscription, job_id: JobId, after: LogPosition, heartbeat_s: float
    ) -> None:
        self._store = store
        self._subscription = subscription
        self._job_id = job_id
        self._lines = LogLines(after)
        self._read_to = after
        self._heartbeat_s = heartbeat_s
        self._status = JobStatus.PENDING

    @property
    def position(self) -> LogPosition:
        """Where the reader is now, for its next `after`."""
        return self._lines.position

    @property
    def live(self) -> bool:
        """Whether the job was not over when that was last looked at."""
        return not self._status.terminal

    async def follow(self) -> AsyncGenerator[Followed, None]:
        """
        Yield the log as it grows, and at last how the job ended; without that last word where the feed ended.

        Raises:
            StoreUnavailable: the log cannot be read now; a reader goes on later where this one was.
            UnknownJob: it is past its retention.
        """
        self._status = (await self._store.read(self._job_id)).status
        silent_s = 0.0
        while True:
            # The status is older than what is read here: of a job that was over, nothing comes after it.
            pieces = await self._store.read_log(self._job_id, self._read_to, _PIECES_AT_ONCE)
            for piece in pieces:
                self._read_to = LogPosition(piece.run, piece.end)
                for entry in self._lines.feed(piece):
                    yield entry
            if not pieces and not self.live:
                break
            pause_s = 0.0 if pieces else self._pause_s(silent_s)
            silent_s = 0.0 if pieces else silent_s + pause_s
            if (changes := await self._changes(pause_s)) is None:
                return
            await self._learn(changes)
            if silent_s >= self._heartbeat_s:
                silent_s = 0.0
                yield None
        for entry in self._lines.flush():
            yield entry
        yield self._status

    def _pause_s(self, silent_s: float) -> float:
        # A job that does not run prints nothing, and that it runs is told.
        most_s = _POLL_S if self._status is JobStatus.PROCESSING else self._heartbeat_s
        return min(most_s, max(self._heartbeat_s - silent_s, 0.001))

    async def _changes(self, wait_s: float) -> list[Entry] | None:
        """Returns: what the feed told of the job, as soon as there is some; None once the feed has ended."""
        if not wait_s and self._subscription.idle:
            return []
        try:
            async with asyncio.timeout(wait_s or None):
                return await self._subscription.take() or None
        except TimeoutError:
            return []

    async def _learn(self, changes: list[Entry]) -> None:
        for change in changes:
            if isinstance(change, Gap):
                self._status = (await self._store.read(self._job_id)).status
                return
            self._status = change.status
