"""A file as an answer: whole or in part, or not at all where the caller has it already."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chef_supervisor.api.cut import AnswerCut
from chef_supervisor.api.ranges import Unsatisfiable, is_known, wanted_range
from chef_supervisor.artifacts.content import ByteRange
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.artifact_errors import ArtifactGone, ArtifactsUnavailable
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.outcome import Artifact

log = logging.getLogger("chef.api")


async def file_answer(
    request: Request, artifacts: ArtifactStore, job_id: JobId, artifact: Artifact, headers: Mapping[str, str]
) -> Response:
    """
    Returns: the file as `request` wants it, with those headers and its own.

    Raises:
        ArtifactGone: it is not kept any more.
        ArtifactsUnavailable: the store does not answer.
    """
    etag = f'"{artifact.sha256}"'
    shared = {**headers, "etag": etag, "accept-ranges": "bytes"}
    if is_known(request.headers, etag):
        return Response(None, 304, shared)
    try:
        wanted = wanted_range(request.headers, etag, artifact.bytes)
    except Unsatisfiable:
        return Response(None, 416, {**shared, "content-range": f"bytes */{artifact.bytes}"})
    content = await artifacts.open(job_id, artifact, wanted)
    whole = {**shared, **_extent(artifact, wanted), "content-length": str(content.size_bytes)}
    status = 200 if wanted is None else 206
    if request.method == "HEAD":
        return Response(None, status, whole)
    return StreamingResponse(or_cut(content.chunks, job_id), status, whole)


async def or_cut(chunks: AsyncIterator[bytes], job_id: JobId) -> AsyncIterator[bytes]:
    """Yield them all, or cut the connection: the head of the answer is out, so no problem can be told any more."""
    try:
        async for chunk in chunks:
            yield chunk
    except (ArtifactGone, ArtifactsUnavailable) as error:
        extra = {"event": "artifacts.cut", "job_id": job_id}
        log.warning("an answer was cut: %s", error, extra=extra)
        raise AnswerCut from error


def _extent(artifact: Artifact, wanted: ByteRange | None) -> dict[str, str]:
    if wanted is None:
        return {}
    return {"content-range": f"bytes {wanted.start}-{wanted.end - 1}/{artifact.bytes}"}
