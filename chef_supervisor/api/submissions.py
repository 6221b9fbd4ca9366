"""`POST /api/jobs`, and `POST /api/jobs/:id/retry`: the same job once more, as a new one."""

from __future__ import annotations

import logging
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.base_jobs import rebased
from chef_supervisor.api.body import read_body
from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.idempotency_key import REPLAYED, read_idempotency_key
from chef_supervisor.api.job_request import JobRequest, idempotency_of, read_job_request
from chef_supervisor.api.off_loop import off_loop
from chef_supervisor.api.own_page import require_own_page
from chef_supervisor.api.project import Rules
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import accepted, json_response
from chef_supervisor.api.upload import read_upload
from chef_supervisor.domain.errors import BaseExpired, Draining, NotOver, UnknownJob, Unprocessable
from chef_supervisor.domain.job import JobId, JobStatus, JobType, NewJob, Tenant, new_job_id
from chef_supervisor.domain.payload import pack, without_cache
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
        self._rules = Rules(
            files=deps.settings.files, audience=deps.audience, toolchains=deps.toolchains, seal=deps.seal
        )
        self._queue_of = {job_type: deps.settings.queue_for(job_type) for job_type in JobType}

    async def submit(self, request: Request) -> Response:
        """Queue a job; 201 once it is accepted by Redis."""
        self._refuse_if_draining()
        read_query(request)
        key = read_idempotency_key(request)
        upload = await read_upload(request, self._deps.settings.http)
        asked = await read_job_request(upload, self._rules, key)
        try:
            submitted = await self._queue(self._job_of(asked, await self._payload(asked, upload.size_bytes)))
        except (UnknownJob, BaseExpired):
            # A request that comes again is answered as the first time, though its base has gone since.
            answered = await self._answered(asked)
            if answered is None:
                raise
            submitted = answered
        return _created(submitted, accepted(submitted))

    async def retry(self, request: Request) -> Response:
        """Queue the files of a job that did not complete once more; 201 as for any other."""
        self._refuse_if_draining()
        # It has no body, so any page may send it; one that a job built knows the id of that job.
        require_own_page(request, self._deps.settings.http)
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

    async def _payload(self, asked: JobRequest, size_bytes: int) -> bytes:
        if asked.changes is None:
            return await off_loop(size_bytes, pack, asked.assignment)
        base = await self._base(self._deps.known_id(asked.changes.base), asked.tenant)
        size_bytes += len(base)
        return await off_loop(size_bytes, rebased, base, asked.changes, asked.assignment, self._rules.files)

    async def _answered(self, asked: JobRequest) -> Submitted | None:
        async with promptly(self._deps.read_timeout_s):
            return await self._deps.store.answered(self._job_of(asked, b""))

    async def _base(self, job_id: JobId, tenant: Tenant) -> bytes:
        """
        Returns: the payload of a job of that tenant.

        Raises:
            UnknownJob: there is none, or it is another tenant's: who asks is not told which.
            BaseExpired: it was that tenant's, and is past its retention.
        """
        async with promptly(self._deps.read_timeout_s):
            try:
                original = await self._deps.store.original(job_id)
            except UnknownJob:
                if await self._deps.store.was_forgotten(job_id, tenant):
                    raise BaseExpired(job_id) from None
                raise
        if original.tenant != tenant:
            raise UnknownJob(job_id)
        return original.payload

    def _job_of(self, asked: JobRequest, payload: bytes) -> NewJob:
        return NewJob(
            job_id=self._new_id(asked.type),
            type=asked.type,
            tenant=asked.tenant,
            priority=asked.priority,
            payload=payload,
            options=asked.wishes.options,
            delay_ms=asked.wishes.delay_ms,
            supersedes=asked.wishes.supersedes,
            idempotency=asked.idempotency,
            subscribers=asked.subscribers,
        )

    def _repeated(self, job_id: JobId, original: Original, key: str | None) -> NewJob:
        return NewJob(
            job_id=self._new_id(original.type),
            type=original.type,
            tenant=original.tenant,
            priority=original.priority,
            # Whoever asks for a retry wants it run: the remembered result is the one that did not please.
            payload=without_cache(original.payload),
            options=original.options,
            # What was asked for is that job again, whatever the body looked like.
            idempotency=None if key is None else idempotency_of(key, job_id.encode()),
            subscribers=self._deps.audience.again(original.subscribers),
        )

    def _new_id(self, job_type: JobType) -> JobId:
        return new_job_id(self._queue_of[job_type], self._deps.random(_ID_BYTES))

    async def _queue(self, job: NewJob) -> Submitted:
        submitted = await self._deps.store.submit(job)
        # What was replayed was told of the first time.
        if not submitted.replayed:
            queue = self._queue_of[job.type]
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
