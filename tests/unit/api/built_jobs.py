"""Jobs that made files, on an API with a store of artifacts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs

from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from tests.kit.artifacts import artifact_store, keep
from tests.unit.api.api_kit import Api, make_settings

SITE = {
    "dist/index.html": b"<!doctype html><script type=module src=/assets/app-1.js></script>",
    "dist/assets/app-1.js": b"document.title = 1",
    "dist/assets/app-1.js.map": b"{}",
    "dist/assets/logo.svg": b"<svg/>",
    "dist/docs/index.html": b"docs",
    "dist/about.html": b"about",
    "dist/caf\u00e9.txt": b"coffee",
    "index.js": b"not of the site",
}


@attrs.define(eq=False)
class Built:
    """An API and its artifacts."""

    api: Api
    artifacts: ArtifactStore

    async def job(self, files: Mapping[str, bytes], status: JobStatus = JobStatus.COMPLETED) -> JobId:
        """Submit a job and end it with those files."""
        job_id = await self.api.posted()
        made = await keep(self.artifacts, job_id, files)
        claim = await self.api.claim()
        result = Result(verdict=Verdict.PASSED, message="all well", artifacts=made)
        assert await self.api.store.finish(claim.job_id, claim.fence, Outcome(status=status, result=result))
        return job_id


@asynccontextmanager
async def building(**preview: Any) -> AsyncIterator[Built]:
    """Yields: such an API; the arguments are settings of the preview."""
    settings, artifacts = make_settings(), artifact_store()
    settings = attrs.evolve(settings, preview=attrs.evolve(settings.preview, **preview))
    api = Api(settings=settings, artifacts=artifacts)
    async with api.client:
        yield Built(api, artifacts)
