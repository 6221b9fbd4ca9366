"""Reads every change of every job while it happens: the streams keep only the newest, and the run may be long."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
import redis

from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.store.config import DEFAULT_QUEUES
from chef_supervisor.store.keys import QueueKeys
from tests.kit.queue_snapshot import TERMINAL, Change, changes_in
from tests.kit.redis_servers import RedisServer

_LOOK_S: Final = 0.25


@attrs.define(eq=False)
class History:
    """Runs in a thread until `stop`; Redis may be away for as long as it likes."""

    server: RedisServer
    changes: dict[QueueName, list[Change]] = attrs.field(factory=lambda: {queue: [] for queue in DEFAULT_QUEUES})
    _last: dict[QueueName, bytes] = attrs.field(factory=dict)
    _over: threading.Event = attrs.field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read what is there, and no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self.read()

    def read(self) -> None:
        """Read what came since the last time."""
        with self.server.client() as client:
            for queue in DEFAULT_QUEUES:
                self._read(client, queue)

    def by_job(self) -> Mapping[JobId, Sequence[Change]]:
        """Returns: each job's changes in their order."""
        found: dict[JobId, list[Change]] = {}
        for change in self._all():
            found.setdefault(change.job_id, []).append(change)
        return found

    def ends(self) -> Counter[JobId]:
        """Returns: how often each job was told to be over."""
        return Counter(change.job_id for change in self._all() if change.status in TERMINAL)

    def _follow(self) -> None:
        while not self._over.wait(_LOOK_S):
            try:
                self.read()
            except redis.RedisError:
                continue

    def _read(self, client: redis.Redis, queue: QueueName) -> None:
        after = b"(" + self._last[queue] if queue in self._last else b"-"
        entries: Any = client.xrange(QueueKeys("chef", queue).key("events"), after, "+")
        self.changes[queue] += changes_in(entries)
        if entries:
            self._last[queue] = entries[-1][0]

    def _all(self) -> Iterable[Change]:
        # A copy: the reader goes on.
        return [change for changes in self.changes.values() for change in list(changes)]
