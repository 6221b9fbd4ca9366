"""What a job's result lists: only that is ever looked up, whatever a path says."""

from __future__ import annotations

from typing import Final

import orjson

from chef_supervisor.domain.errors import NotOverYet, UnknownJob
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.store.job_store import JobStore

_JOBS_REMEMBERED: Final = 32


class Listing:
    """Remembers the lists of a few jobs, for a site is dozens of requests; whether a job is known is asked each time."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        # Ends never change, so neither do these.
        self._remembered: dict[JobId, dict[str, Artifact]] = {}

    async def of(self, job_id: JobId) -> dict[str, Artifact]:
        """
        Returns: the artifacts of a job that is over, by path, in the order of the result.

        Raises:
            UnknownJob: there is none of that id, or it is past its retention.
            NotOverYet: it is not over.
        """
        state = await self._store.read(job_id)
        if not state.status.terminal:
            raise NotOverYet(job_id, state.status, "artifacts")
        if job_id not in self._remembered:
            self._remember(job_id, await self._read(job_id))
        return self._remembered[job_id]

    async def _read(self, job_id: JobId) -> dict[str, Artifact]:
        result = await self._store.result(job_id)
        if result is None:
            raise UnknownJob(job_id)
        listed = [Artifact(**artifact) for artifact in orjson.loads(result).get("artifacts", ())]
        return {artifact.path: artifact for artifact in listed}

    def _remember(self, job_id: JobId, listed: dict[str, Artifact]) -> None:
        while len(self._remembered) >= _JOBS_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[job_id] = listed
