"""The logs of a FakeStore: all pieces of a job's newest run that printed, unbounded."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chef_supervisor.domain.job import Fence, JobId, JobStatus
from chef_supervisor.domain.job_log import LogPiece, LogPosition
from tests.kit.fake_jobs import Held
from tests.kit.fake_memory import FakeMemory


@attrs.define(eq=False)
class FakeLogs(FakeMemory):
    """`log_writes`: the pieces of each write that was taken, in their order."""

    jobs: dict[JobId, Held] = attrs.field(factory=dict)
    logs: dict[JobId, list[LogPiece]] = attrs.field(factory=dict)
    log_writes: list[Sequence[LogPiece]] = attrs.field(factory=list)

    async def append_log(self, job_id: JobId, fence: Fence, pieces: Sequence[LogPiece]) -> bool:
        await self._enter("append_log")
        held = self.jobs.get(job_id)
        if held is None or held.fence != fence or held.state.status is not JobStatus.PROCESSING:
            return False
        kept = [piece for piece in self.logs.get(job_id, ()) if piece.run == fence.run]
        end = kept[-1].end if kept else 0
        self.logs[job_id] = kept + [piece for piece in pieces if piece.end > end]
        self.log_writes.append(pieces)
        return True

    async def read_log(self, job_id: JobId, after: LogPosition, most: int) -> Sequence[LogPiece]:
        await self._enter("read_log")
        return [piece for piece in self.logs.get(job_id, ()) if LogPosition(piece.run, piece.end) > after][:most]
