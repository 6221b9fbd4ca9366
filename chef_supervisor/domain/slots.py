"""Who holds which slot: a process has so many, its queues share them, and a queue may be capped. Pure bookkeeping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from chef_supervisor.domain.job import JobId, QueueName


@attrs.define(eq=False)
class Slots:
    """`total` slots for the process; `caps` per queue, 0 = as many as the process has."""

    total: int
    caps: Mapping[QueueName, int]
    _held: dict[QueueName, set[JobId]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with nothing held."""
        self._held = {queue: set() for queue in self.caps}

    def free(self, queue: QueueName) -> int:
        """Returns: how many jobs that queue may start now."""
        left = self.total - sum(map(len, self._held.values()))
        cap = self.caps[queue] or self.total
        return max(0, min(left, cap - len(self._held[queue])))

    def deal(self, queues: Sequence[QueueName]) -> dict[QueueName, int]:
        """Returns: how many of the free slots each of those queues gets, dealt one by one in that order; none of 0."""
        dealt = dict.fromkeys(queues, 0)
        left = self.total - sum(map(len, self._held.values()))
        while hungry := [queue for queue in queues if dealt[queue] < self.free(queue)][: max(0, left)]:
            for queue in hungry:
                dealt[queue] += 1
            left -= len(hungry)
        return {queue: count for queue, count in dealt.items() if count}

    def take(self, queue: QueueName, job_id: JobId) -> None:
        """Give the job a slot."""
        self._held[queue].add(job_id)

    def give_back(self, queue: QueueName, job_id: JobId) -> None:
        """Free the job's slot; nothing happens where it held none."""
        self._held[queue].discard(job_id)

    def reset(self, queue: QueueName, job_ids: Iterable[JobId]) -> None:
        """Set what a queue holds, as its pool tells it after a restart."""
        self._held[queue] = set(job_ids)
