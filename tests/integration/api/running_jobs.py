"""Jobs that run on a served store, and print what a test says."""

from __future__ import annotations

from chef_supervisor.domain.job import Claim, JobId
from chef_supervisor.domain.job_log import LogPiece
from tests.integration.api.server_kit import Serving


class Running:
    """A job that runs on the served store, and prints what the test says."""

    def __init__(self, served: Serving, claim: Claim) -> None:
        self._served = served
        self.claim = claim
        self.job_id: JobId = claim.job_id
        self.url = f"/api/jobs/{claim.job_id}/logs"
        self._at = 0

    async def print(self, text: str | bytes, *, step: str = "build", skipping: int = 0) -> None:
        content = text.encode() if isinstance(text, str) else text
        self._at += skipping + len(content)
        piece = LogPiece(run=self.claim.fence.run, step=step, end=self._at, content=content)
        assert await self._served.api.store.append_log(self.job_id, self.claim.fence, [piece])

    async def finish(self) -> None:
        await self._served.api.finish(self.claim)


async def a_running_job(served: Serving) -> Running:
    await served.api.posted()
    return Running(served, await served.api.claim())
