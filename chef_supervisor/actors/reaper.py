"""Gives jobs back whose lease ran out and promotes those that fell due. Safe to run in every process at once."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Never

import attrs

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import QueueName
from chef_supervisor.kernel import Actor
from chef_supervisor.reaped import tell_reaped
from chef_supervisor.store.answers import Reaped
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.reaper")
# Of each kind in one pass, so that Redis is not held up; what is left is taken by the next pass, at once.
_LIMIT: Final = 100


@attrs.define(eq=False, kw_only=True)
class Reaper(Actor[Never]):
    """
    Looks at every queue once an interval.

    After Redis was away it just goes on: the store itself sees that nobody looked for a while, and takes nothing from
    live workers until they had one lease to renew.
    """

    store: JobStore
    queues: tuple[QueueName, ...]
    interval_s: float

    async def on_start(self) -> None:
        """Begin to look."""
        self.ctx.spawn(self._rounds(), name="rounds")

    async def receive(self, message: object) -> None:
        """Nobody tells the reaper anything."""

    async def _rounds(self) -> None:
        while True:
            try:
                for queue in self.queues:
                    while _may_have_more(await self._reap(queue)):
                        pass
            except StoreUnavailable as error:
                log.debug("nothing was reaped: %s", error)
            await asyncio.sleep(self.interval_s)

    async def _reap(self, queue: QueueName) -> Reaped:
        reaped = await self.store.reap(queue, _LIMIT)
        tell_reaped(log, queue, reaped, requeued="lease of job %s ran out; it waits again")
        return reaped


def _may_have_more(reaped: Reaped) -> bool:
    expired = len(reaped.requeued) + len(reaped.poisoned)
    return max(expired, len(reaped.promoted), reaped.forgotten) >= _LIMIT
