"""Gives jobs back whose lease ran out and promotes those that fell due. Safe to run in every process at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Never

import attrs

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.kernel import Actor
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.reaper")


@attrs.define(eq=False, kw_only=True)
class Reaper(Actor[Never]):
    """Looks at every queue once an interval."""

    store: JobStore
    queues: tuple[QueueName, ...]
    interval_s: float
    # After Redis was away, live workers get this long to renew before anything is taken from them.
    lease_s: float

    async def on_start(self) -> None:
        """Begin to look."""
        self.ctx.spawn(self._rounds(), name="rounds")

    async def receive(self, message: object) -> None:
        """Nobody tells the reaper anything."""

    async def _rounds(self) -> None:
        while True:
            try:
                for queue in self.queues:
                    await self._reap(queue)
                await asyncio.sleep(self.interval_s)
            except StoreUnavailable:
                await self._wait_for_store()

    async def _wait_for_store(self) -> None:
        while True:
            await asyncio.sleep(self.interval_s)
            try:
                await self.store.check()
            except StoreUnavailable:
                continue
            await asyncio.sleep(self.lease_s)
            return

    async def _reap(self, queue: QueueName) -> None:
        reaped = await self.store.reap(queue)
        _tell(queue, reaped.requeued, "job.pending", "lease of job %s ran out; it waits again")
        _tell(queue, reaped.promoted, "job.pending", "job %s is due")
        _tell(queue, reaped.poisoned, "job.failed", "job %s is poisoned: too many of its runs were lost")


def _tell(queue: QueueName, job_ids: Iterable[JobId], event: str, sentence: str) -> None:
    for job_id in job_ids:
        log.info(sentence, job_id, extra={"event": event, "job_id": job_id, "queue": queue})
