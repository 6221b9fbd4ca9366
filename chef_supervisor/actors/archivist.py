"""Forgets the artifacts of jobs that the job store has forgotten. Safe to run in every process at once."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Never

import attrs

from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId, QueueName, queue_of
from chef_supervisor.kernel import Actor
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.archivist")
# Redis is asked about so many jobs in one step.
_JOBS_AT_ONCE: Final = 100


@attrs.define(eq=False, kw_only=True)
class Archivist(Actor[Never]):
    """
    Looks once an interval. Ids are random and never given twice, so what is not known now will never be.

    Jobs of queues that this process does not have are left to those who do. Neither store need be there when it starts.
    """

    store: JobStore
    artifacts: ArtifactStore
    queues: tuple[QueueName, ...]
    interval_s: float
    # Written by _rounds() only: trouble is told once, until it is over.
    _told: bool = attrs.field(default=False, init=False)

    async def on_start(self) -> None:
        """Begin to look."""
        self.ctx.spawn(self._rounds(), name="rounds")

    async def receive(self, message: object) -> None:
        """Nobody tells the archivist anything."""

    async def _rounds(self) -> None:
        while True:
            try:
                await self._look()
                self._told = False
            except (ArtifactsUnavailable, StoreUnavailable) as error:
                self._tell(error)
            await asyncio.sleep(self.interval_s)

    async def _look(self) -> None:
        # The artifacts first: a job that has some was submitted before, so one that is unknown afterwards is forgotten.
        ours = [job_id for job_id in await self.artifacts.jobs() if queue_of(job_id) in self.queues]
        forgotten = 0
        for start in range(0, len(ours), _JOBS_AT_ONCE):
            forgotten += await self._forget(ours[start : start + _JOBS_AT_ONCE])
        if forgotten:
            extra = {"event": "artifacts.forgotten"}
            log.info("the artifacts of %d jobs are forgotten with them", forgotten, extra=extra)

    async def _forget(self, job_ids: list[JobId]) -> int:
        known = await self.store.known(job_ids)
        gone = [job_id for job_id in job_ids if job_id not in known]
        for job_id in gone:
            await self.artifacts.remove(job_id)
        return len(gone)

    def _tell(self, error: ArtifactsUnavailable | StoreUnavailable) -> None:
        if not self._told:
            self._told = True
            extra = {"event": "artifacts.unavailable"}
            log.warning("artifacts of jobs that are forgotten are removed later: %s", error, extra=extra)
