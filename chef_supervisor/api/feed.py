"""
The events of all queues, read once a process and handed to every reader of it.

Refuses to be the truth: a reader that was too slow, or came too late, is told of a gap and reads the jobs anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from chef_supervisor.api.subscription import Entry, Subscription
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId, QueueName, queue_of
from chef_supervisor.store.answers import Gap, JobEvent
from chef_supervisor.store.job_store import JobStore

_LONGEST_PAUSE_S: Final = 2.0
# So long the feed goes on after its last reader: most come back at once.
_LINGER_S: Final = 10.0


class EventFeed:
    """
    Follows the stream of each queue and fans it out. `run()` it inside an actor's TaskGroup.

    While nobody reads, nothing is read, and that costs every job some. Who subscribes then gets a gap as soon as the
    streams are followed again, unless it waited for `placed()` before.

    Args:
        poll_s: how long one blocking read may take.
        pause_s: how long to wait after the store failed; doubles up to 2 s while it goes on failing.
        room: entries a reader may lag behind before it gets a gap.
    """

    def __init__(
        self,
        store: JobStore,
        queues: tuple[QueueName, ...],
        *,
        poll_s: float = 5.0,
        pause_s: float = 0.1,
        room: int = 1024,
    ) -> None:
        self._store = store
        self._queues = queues
        self._poll_s = poll_s
        self._pause_s = pause_s
        self._room = room
        # Where each queue's follower is; kept over a restart of run(), so that nothing is missed between.
        self._positions: dict[QueueName, str] = {}
        self._placed = asyncio.Event()
        # Those that are not followed, and must find their streams' ends before they are again.
        self._asleep = set(queues)
        self._wanted = asyncio.Event()
        self._wanted_until_s = 0.0
        # By job, because a thousand callers may wait for a job each; None holds those that want all.
        self._readers: defaultdict[JobId | None, set[Subscription]] = defaultdict(set)

    @property
    def positions(self) -> Mapping[QueueName, str]:
        """How far each queue has been handed out."""
        return dict(self._positions)

    @property
    def readers(self) -> int:
        """How many subscriptions there are."""
        return sum(map(len, self._readers.values()))

    async def placed(self, timeout_s: float) -> None:
        """
        Wait until every queue's stream is followed; they are for 10 s then, and for as long as there is a reader.

        Raises:
            StoreUnavailable: that took too long.
        """
        self._want()
        try:
            async with asyncio.timeout(timeout_s):
                await self._placed.wait()
        except TimeoutError as error:
            raise StoreUnavailable("the events cannot be read now") from error

    async def run(self) -> None:
        """Follow until cancelled; then every reader's subscription ends."""
        try:
            async with asyncio.TaskGroup() as followers:
                for queue in self._queues:
                    followers.create_task(self._follow(queue), name=f"feed-{queue}")
        finally:
            self.end_all()

    def end_all(self) -> None:
        """End every subscription there is, so that streams and long polls come to their end."""
        for readers in self._readers.values():
            for reader in readers:
                reader.end()

    @contextlib.contextmanager
    def subscribe(self, job_id: JobId | None = None) -> Iterator[Subscription]:
        """Yield a place at the feed, of all jobs or of one; what happens from now on is in it."""
        queues = self._queues if job_id is None else (queue_of(job_id),)
        subscription = Subscription(queues, job_id, self._room)
        self._readers[job_id].add(subscription)
        self._want()
        try:
            yield subscription
        finally:
            self._want()
            self._readers[job_id].discard(subscription)
            if not self._readers[job_id]:
                del self._readers[job_id]

    async def _follow(self, queue: QueueName) -> None:
        pause_s = self._pause_s
        while True:
            if not self._is_wanted():
                await self._sleep(queue)
            try:
                await (self._place(queue) if queue in self._asleep else self._read(queue))
                pause_s = self._pause_s
            except StoreUnavailable:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _want(self) -> None:
        self._wanted_until_s = _now_s() + _LINGER_S
        self._wanted.set()

    def _is_wanted(self) -> bool:
        return bool(self._readers) or _now_s() < self._wanted_until_s

    async def _sleep(self, queue: QueueName) -> None:
        self._asleep.add(queue)
        self._placed.clear()
        self._wanted.clear()
        await self._wanted.wait()

    async def _place(self, queue: QueueName) -> None:
        tail = await self._store.tail(queue)
        self._positions[queue] = tail
        # Whoever subscribed before this point may have missed something.
        self._offer(Gap(queue, tail))
        self._asleep.discard(queue)
        if not self._asleep:
            self._placed.set()

    async def _read(self, queue: QueueName) -> None:
        for entry in await self._store.events(queue, self._positions[queue], self._poll_s):
            # After a gap too, reading goes on behind its position.
            self._positions[queue] = entry.position
            self._offer(entry)

    def _offer(self, entry: Entry) -> None:
        for reader in self._interested(entry):
            reader.offer(entry)

    def _interested(self, entry: Entry) -> list[Subscription]:
        if isinstance(entry, JobEvent):
            return [*self._readers.get(None, ()), *self._readers.get(entry.job_id, ())]
        return [reader for readers in self._readers.values() for reader in readers if entry.queue in reader.queues]


def _now_s() -> float:
    return asyncio.get_running_loop().time()
