"""What a FakeStore remembers of results that are given again."""

from __future__ import annotations

import asyncio

import attrs

from chef_supervisor.domain.job import JobId, QueueName, queue_of
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store.answers import Remembered
from tests.kit.breakable import Breakable


@attrs.define(eq=False)
class FakeMemory(Breakable):
    """`ends`: those of the jobs that are over. What is remembered goes by the loop's clock."""

    ends: dict[JobId, Outcome] = attrs.field(factory=dict)
    _kept: dict[tuple[QueueName, str], tuple[float, JobId]] = attrs.field(factory=dict)

    async def remember_result(self, job_id: JobId, key: str, keep_s: float) -> None:
        await self._enter("remember_result")
        self._kept[queue_of(job_id), key] = (asyncio.get_running_loop().time() + keep_s, job_id)

    async def remembered(self, queue: QueueName, key: str) -> Remembered | None:
        await self._enter("remembered")
        until, job_id = self._kept.get((queue, key), (0.0, JobId("")))
        end = self.ends.get(job_id)
        return None if end is None or until <= asyncio.get_running_loop().time() else Remembered(job_id, end)
