"""What one follower of the events gets to see: first what it missed, read from the streams, then the feed, no entry twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from chef_supervisor.api.feed import EventFeed
from chef_supervisor.api.positions import order, write_cursor
from chef_supervisor.api.subscription import Entry, Subscription
from chef_supervisor.domain.job import QueueName
from chef_supervisor.store.answers import Gap, JobEvent
from chef_supervisor.store.job_store import JobStore

_REPLAY_TIMEOUT_S = 1.0


class EventReader:
    """
    One follower.

    Args:
        after: the last position the follower saw in each queue; a queue that is not there is followed from now on.
    """

    def __init__(
        self, store: JobStore, feed: EventFeed, subscription: Subscription, after: Mapping[QueueName, str]
    ) -> None:
        self._store = store
        self._feed = feed
        self._subscription = subscription
        self._after = after
        self._seen = {queue: feed.positions[queue] for queue in subscription.queues}

    def cursor(self) -> str:
        """Returns: where the follower is now, for its next `after`."""
        return write_cursor(self._seen)

    async def replay(self) -> AsyncIterator[Entry]:
        """
        Yield what came after the given positions and before now.

        The subscription is older than the tail that is read here, so that whatever the streams no longer give, the
        feed will; what both give is dropped by `live`.
        """
        for queue in self._subscription.queues:
            if queue in self._after:
                async for entry in self._replay(queue, await self._store.tail(queue)):
                    yield entry

    async def live(self, timeout_s: float) -> list[Entry] | None:
        """Returns: what is new; empty when nothing came in time; None once the feed has ended."""
        try:
            async with asyncio.timeout(timeout_s):
                entries = await self._subscription.take()
        except TimeoutError:
            self._catch_up()
            return []
        return [entry for entry in entries if self._advance(entry)] if entries else None

    async def _replay(self, queue: QueueName, tail: str) -> AsyncIterator[Entry]:
        if order(self._after[queue]) > order(tail):
            # The stream begins anew below what the follower saw: another Redis, or an emptied one.
            self._seen[queue] = tail
            yield Gap(queue, tail)
            return
        self._seen[queue] = self._after[queue]
        while order(self._seen[queue]) < order(tail):
            entries = await self._store.events(queue, self._seen[queue], _REPLAY_TIMEOUT_S)
            if not entries:
                return
            for entry in filter(self._advance, entries):
                if self._wanted(entry):
                    yield entry

    def _advance(self, entry: Entry) -> bool:
        """Returns: whether the entry is new; then it has been seen from now on."""
        # A gap may lead back: the stream began anew, and what it holds is below what was seen of the old one.
        if isinstance(entry, JobEvent) and order(entry.position) <= order(self._seen[entry.queue]):
            return False
        self._seen[entry.queue] = entry.position
        return True

    def _wanted(self, entry: Entry) -> bool:
        return isinstance(entry, Gap) or self._subscription.job_id in (None, entry.job_id)

    def _catch_up(self) -> None:
        """What the feed has passed and did not offer was about other jobs: it need not be read again."""
        if self._subscription.idle:
            self._seen |= {queue: self._feed.positions[queue] for queue in self._seen}
