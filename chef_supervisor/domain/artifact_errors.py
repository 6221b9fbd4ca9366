"""The errors of files that jobs made; the tree of all errors is drawn in `errors`."""

from __future__ import annotations

import attrs

from chef_supervisor.domain.errors import Rejected, Unavailable


@attrs.frozen(str=False)
class UnknownArtifact(Rejected):
    """The job's result lists no such file."""

    job_id: str
    path: str

    def message(self) -> str:
        return f"job {self.job_id} has no artifact {self.path[:200]!r}; GET /api/jobs/{self.job_id}/artifacts lists all"


@attrs.frozen(str=False)
class NothingToPreview(Rejected):
    """No index.html is among the artifacts."""

    job_id: str

    def message(self) -> str:
        return f"job {self.job_id} made no site: there is no index.html among its artifacts"


@attrs.frozen(str=False)
class ArtifactGone(Rejected):
    """The job's result lists it, but the store does not have it, or not whole."""

    job_id: str
    path: str

    def message(self) -> str:
        return f"the artifact {self.path!r} of job {self.job_id} is not kept any more; run the job again"


@attrs.frozen(str=False)
class ArtifactsUnavailable(Unavailable):
    """The store of artifacts did not answer, or refuses."""

    reason: str
    retry_after_s: float = 2.0

    def message(self) -> str:
        return f"the store of artifacts is not available: {self.reason}"
