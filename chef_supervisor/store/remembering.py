"""Results that are given again: which ended job did what piece of work, by the work's key."""

from __future__ import annotations

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.job import JobId, JobStatus, QueueName
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store import codec
from chef_supervisor.store.answers import Remembered
from chef_supervisor.store.base import StoreBase


class Remembering(StoreBase):
    """Keeps ids only: a result is kept once, with its job, and forgotten with it."""

    async def remember_result(self, job_id: JobId, key: str, keep_s: float) -> None:
        """See `JobStore`."""
        name = self._of(job_id).keys.cached(key)
        await self._plain.run(("SET", name, job_id, "PX", max(1, int(keep_s * 1000))))

    async def remembered(self, queue: QueueName, key: str) -> Remembered | None:
        """See `JobStore`."""
        keys = self._at(queue).keys
        [found] = await self._plain.run(("GET", keys.cached(key)))
        if found is None:
            return None
        # Whatever stands there: where it is no job's id, there is no such job.
        job_id = JobId(found.decode(errors="replace"))
        status, stored = await self._plain.run(("HGET", keys.job(job_id), "status"), ("GET", keys.result(job_id)))
        if status is None or stored is None:
            return None
        return await _remembered(job_id, status, stored)


async def _remembered(job_id: JobId, status: bytes, stored: bytes) -> Remembered | None:
    # What another version wrote and this one cannot read whole is found out anew.
    try:
        result = codec.decode_result(await codec.unpack(stored))
        return Remembered(job_id=job_id, outcome=Outcome(status=JobStatus(status.decode()), result=result))
    except (Bug, ValueError):
        return None
