"""`GET /api/jobs/:id/artifacts`: what a job made, as a list, one by one, or all in an archive."""

from __future__ import annotations

import functools
import urllib.parse
from pathlib import PurePosixPath
from typing import Final

import attrs
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chef_supervisor.api.content_types import content_type
from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.file_answer import file_answer, or_cut
from chef_supervisor.api.listing import Listing
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import json_response
from chef_supervisor.artifacts.archive import tar_gz
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.artifact_errors import ArtifactGone, UnknownArtifact
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.outcome import Artifact

_ARCHIVE: Final = "tar.gz"
# Whatever a project made is never a page of this origin, also where somebody asks a browser to show it.
_INERT: Final = {"content-security-policy": "sandbox; default-src 'none'"}


class Artifacts:
    """The endpoints."""

    def __init__(self, deps: ApiDependencies, listing: Listing) -> None:
        self._deps = deps
        self._listing = listing

    async def all(self, request: Request) -> Response:
        """List them, in the order of the result; with `?format=tar.gz` send them."""
        wanted = read_query(request, {"format"}).get("format")
        if wanted not in (None, _ARCHIVE):
            raise Unprocessable("invalid_parameter", "format", f"must be {_ARCHIVE}, or be left out")
        job_id, listed = await self._listed(request)
        if wanted is None:
            return json_response({"artifacts": [attrs.asdict(artifact) for artifact in listed.values()]})
        return await self._archive(request, job_id, list(listed.values()))

    async def one(self, request: Request) -> Response:
        """Send one of them."""
        read_query(request)
        job_id, listed = await self._listed(request)
        path = request.path_params["path"]
        if path not in listed:
            raise UnknownArtifact(job_id, path)
        headers = _as_download(PurePosixPath(path).name, content_type(path))
        return await file_answer(request, self._store(job_id, path), job_id, listed[path], headers)

    async def _listed(self, request: Request) -> tuple[JobId, dict[str, Artifact]]:
        job_id = self._deps.known_id(request.path_params["job_id"])
        async with promptly(self._deps.read_timeout_s):
            return job_id, await self._listing.of(job_id)

    async def _archive(self, request: Request, job_id: JobId, listed: list[Artifact]) -> Response:
        headers = _as_download(f"{job_id}.{_ARCHIVE}", "application/gzip")
        store = self._store(job_id, _ARCHIVE)
        if listed:
            # Where the first is gone, so are all; that can only be told before the answer begins.
            await store.open(job_id, listed[0])
        # Nobody reads the body of an answer to HEAD.
        packed = tar_gz([] if request.method == "HEAD" else listed, functools.partial(store.open, job_id))
        return StreamingResponse(or_cut(packed, job_id), 200, headers)

    def _store(self, job_id: JobId, path: str) -> ArtifactStore:
        if self._deps.artifacts is None:
            raise ArtifactGone(job_id, path)
        return self._deps.artifacts


def _as_download(name: str, media_type: str) -> dict[str, str]:
    # Source: RFC 6266: who does not understand the second form takes the first.
    plain = "".join(char if char.isascii() and char not in '"\\' else "_" for char in name)
    quoted = urllib.parse.quote(name, safe="")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quoted}"
    return {**_INERT, "content-type": media_type, "content-disposition": disposition}
