"""
Who holds which slot: a process has so many, its queues share them, and a queue may be capped. Pure bookkeeping.

Runs hold slots, not jobs: where a job's lease was lost its next run may begin here while the last one winds down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from chef_supervisor.domain.job import QueueName, RunId


@attrs.define(eq=False)
class Slots:
    """`total` slots for the process; `caps` per queue, 0 = as many as the process has."""

    total: int
    caps: Mapping[QueueName, int]
    _held: dict[QueueName, set[RunId]] = attrs.field(init=False)

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

    def take(self, queue: QueueName, run: RunId) -> None:
        """Give the run a slot."""
        self._held[queue].add(run)

    def give_back(self, queue: QueueName, run: RunId) -> None:
        """Free the run's slot; nothing happens where it held none."""
        self._held[queue].discard(run)

    def reset(self, queue: QueueName, runs: Iterable[RunId]) -> None:
        """Set what a queue holds, as its pool tells it after a restart."""
        self._held[queue] = set(runs)
