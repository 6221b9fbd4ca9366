"""`POST /api/jobs`, and `POST /api/jobs/:id/retry`: the same job once more, as a new one."""

from __future__ import annotations

import logging
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.body import read_body, require_json
from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.idempotency_key import REPLAYED, read_idempotency_key
from chef_supervisor.api.job_request import JobRequest, idempotency_of, read_job_request
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import accepted, json_response
from chef_supervisor.domain.errors import Draining, NotOver, Unprocessable
from chef_supervisor.domain.job import JobId, JobStatus, JobType, NewJob, new_job_id
from chef_supervisor.store.answers import Original, Submitted

_ID_BYTES: Final = 16
_RETRIED: Final = frozenset({JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED})
# Room for `{}` in any layout.
_RETRY_BODY_BYTES: Final = 1024

logger = logging.getLogger("chef.api")


class Submissions:
    """The endpoints that make jobs."""

    def __init__(self, deps: ApiDependencies) -> None:
        self._deps = deps

    async def submit(self, request: Request) -> Response:
        """Queue a job; 201 once it is accepted by Redis."""
        self._refuse_if_draining()
        read_query(request)
        key = read_idempotency_key(request)
        require_json(request)
        http = self._deps.settings.http
        body = await read_body(request, http.max_body_bytes, http.body_timeout_s)
        asked = await read_job_request(body, self._deps.settings.files, key)
        submitted = await self._queue(self._job_of(asked))
        return _created(submitted, accepted(submitted))

    async def retry(self, request: Request) -> Response:
        """Queue the files of a job that did not complete once more; 201 as for any other."""
        self._refuse_if_draining()
        read_query(request)
        key = read_idempotency_key(request)
        job_id = self._deps.known_id(request.path_params["job_id"])
        await self._read_nothing(request)
        async with promptly(self._deps.write_timeout_s) as deadline:
            original = await self._deps.store.original(job_id)
            if original.status not in _RETRIED:
                raise NotOver(job_id, original.status)
            deadline.allow_for(len(original.payload))
            submitted = await self._queue(self._repeated(job_id, original, key))
        return _created(submitted, accepted(submitted) | {"retryOf": job_id})

    def _refuse_if_draining(self) -> None:
        if self._deps.draining():
            raise Draining

    async def _read_nothing(self, request: Request) -> None:
        body = await read_body(request, _RETRY_BODY_BYTES, self._deps.settings.http.body_timeout_s)
        if b"".join(body.split()) not in (b"", b"{}"):
            raise Unprocessable("invalid_body", "", "send no body: a retry is of the same files and options")

    def _job_of(self, asked: JobRequest) -> NewJob:
        return NewJob(
            job_id=self._new_id(asked.type),
            type=asked.type,
            tenant=asked.tenant,
            priority=asked.priority,
            payload=asked.payload,
            options=asked.wishes.options,
            delay_ms=asked.wishes.delay_ms,
            supersedes=asked.wishes.supersedes,
            idempotency=asked.idempotency,
        )

    def _repeated(self, job_id: JobId, original: Original, key: str | None) -> NewJob:
        return NewJob(
            job_id=self._new_id(original.type),
            type=original.type,
            tenant=original.tenant,
            priority=original.priority,
            payload=original.payload,
            options=original.options,
            # What was asked for is that job again, whatever the body looked like.
            idempotency=None if key is None else idempotency_of(key, job_id.encode()),
        )

    def _new_id(self, job_type: JobType) -> JobId:
        return new_job_id(self._deps.settings.queue_for(job_type), self._deps.random(_ID_BYTES))

    async def _queue(self, job: NewJob) -> Submitted:
        submitted = await self._deps.store.submit(job)
        # What was replayed was told of the first time.
        if not submitted.replayed:
            queue = self._deps.settings.queue_for(job.type)
            self._deps.hint(queue)
            told = {"job_id": job.job_id, "queue": queue, "type": job.type, "tenant": job.tenant}
            logger.info("%s accepted", job.job_id, extra={"event": "job.pending", **told})
            if submitted.superseded is not None:
                _tell_superseded(submitted.superseded, job.job_id)
        return submitted


def _tell_superseded(old: JobId, new: JobId) -> None:
    extra = {"event": "job.cancelled", "job_id": old, "superseded_by": new}
    logger.info("%s is cancelled: %s takes its place", old, new, extra=extra)


def _created(submitted: Submitted, view: dict[str, object]) -> Response:
    location = {"Location": f"/api/jobs/{submitted.state.job_id}"}
    return json_response(view, 201, location | (REPLAYED if submitted.replayed else {}))
