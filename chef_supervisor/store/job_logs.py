"""Logs of jobs: written by whoever runs the job, read by anybody."""

from __future__ import annotations

from collections.abc import Sequence

from chef_supervisor.domain.job import Fence, JobId
from chef_supervisor.domain.job_log import LogPiece, LogPosition
from chef_supervisor.store import log_pieces
from chef_supervisor.store.base import StoreBase
from chef_supervisor.store.errors import of_job


class JobLogs(StoreBase):
    """Appends and reads. A log is a stream under a key of its own, which a status poll never reads."""

    async def append_log(self, job_id: JobId, fence: Fence, pieces: Sequence[LogPiece]) -> bool:
        """See `JobStore`."""
        return bool(await self._fenced(self._of(job_id).log, job_id, fence, log_pieces.encode(pieces)))

    async def read_log(self, job_id: JobId, after: LogPosition, most: int) -> Sequence[LogPiece]:
        """See `JobStore`."""
        key, start = self._of(job_id).keys.log(job_id), f"({log_pieces.id_of(after)}"
        with of_job(job_id):
            [entries] = await self._plain.run(("XRANGE", key, start, "+", "COUNT", most))
            return [log_pieces.decode(entry) for entry in entries]
