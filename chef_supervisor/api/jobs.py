"""`POST /api/jobs` and `GET /api/jobs/:id`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.body import read_body, require_json
from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.job_request import JobRequest, read_job_request
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import accepted, job_view, json_response
from chef_supervisor.api.subscription import Entry, Subscription
from chef_supervisor.domain.errors import Draining, StoreUnavailable, UnknownJob, Unprocessable
from chef_supervisor.domain.job import JobId, NewJob, new_job_id
from chef_supervisor.store.job_store import Gap, JobState

JOB_PENDING: Final = "job.pending"
_SECONDS: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")
_ID_BYTES: Final = 16

logger = logging.getLogger("chef.api")


class Jobs:
    """The endpoints of jobs."""

    def __init__(self, deps: ApiDependencies) -> None:
        self._deps = deps

    async def submit(self, request: Request) -> Response:
        """Queue a job; 201 once it is accepted by Redis."""
        if self._deps.draining():
            raise Draining
        read_query(request)
        require_json(request)
        http = self._deps.settings.http
        body = await read_body(request, http.max_body_bytes, http.body_timeout_s)
        state = await self._queue(await read_job_request(body, self._deps.settings.files))
        return json_response(accepted(state), 201, {"Location": f"/api/jobs/{state.job_id}"})

    async def read(self, request: Request) -> Response:
        """Tell all of a job; with `?wait=` once it is over, or after that many seconds as it is then."""
        wait_s = self._wait_s(read_query(request, {"wait"}).get("wait", "0"))
        job_id = self._deps.known_id(request.path_params["job_id"])
        state = await (self._settled(request, job_id, wait_s) if wait_s else self._deps.store.read(job_id))
        return json_response(job_view(state, await self._result_of(state)))

    async def _queue(self, asked: JobRequest) -> JobState:
        queue = self._deps.settings.queue_for(asked.type)
        job_id = new_job_id(queue, self._deps.random(_ID_BYTES))
        job = NewJob(
            job_id=job_id, type=asked.type, tenant=asked.tenant, priority=asked.priority, payload=asked.payload
        )
        state = await self._deps.store.submit(job)
        self._deps.hint(queue)
        extra = {"event": JOB_PENDING, "job_id": job_id, "queue": queue, "type": job.type, "tenant": job.tenant}
        logger.info("%s accepted", job_id, extra=extra)
        return state

    async def _result_of(self, state: JobState) -> bytes | None:
        """Returns: the result of a job that is over; None before."""
        if not state.status.terminal:
            return None
        result = await self._deps.store.result(state.job_id)
        if result is None:
            # An end is stored with its result, so this one is past its retention. Nobody has to read an end without.
            raise UnknownJob(state.job_id)
        return result

    def _wait_s(self, text: str) -> float:
        longest_s = self._deps.settings.http.max_wait_s
        if _SECONDS.fullmatch(text) is None or float(text) > longest_s:
            raise Unprocessable("invalid_parameter", "wait", f"must be 0 to {longest_s:g} seconds")
        return float(text)

    async def _settled(self, request: Request, job_id: JobId, wait_s: float) -> JobState:
        # Subscribed before the first read, so that no change falls between the two.
        with self._deps.feed.subscribe(job_id) as changes:
            state = await self._deps.store.read(job_id)
            if state.status.terminal:
                return state
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s), asyncio.TaskGroup() as group:
                    leaving = group.create_task(_end_when_gone(request, changes))
                    await self._until_over(job_id, changes)
                    leaving.cancel()
        return await self._deps.store.read(job_id)

    async def _until_over(self, job_id: JobId, changes: Subscription) -> None:
        # What goes wrong with these reads is told by the last one, after the wait.
        with contextlib.suppress(UnknownJob, StoreUnavailable):
            while entries := await changes.take():
                if any(map(_may_be_the_end, entries)) and (await self._deps.store.read(job_id)).status.terminal:
                    return


def _may_be_the_end(entry: Entry) -> bool:
    return isinstance(entry, Gap) or entry.status.terminal


async def _end_when_gone(request: Request, changes: Subscription) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    changes.end()
