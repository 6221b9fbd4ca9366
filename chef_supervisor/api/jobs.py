"""`GET /api/jobs/:id` and `DELETE /api/jobs/:id`: a job as it is, and its end before its time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Sequence
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.off_loop import off_loop
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import job_view, json_response
from chef_supervisor.api.subscription import Entry, Subscription
from chef_supervisor.domain.delivery import DeliveryState
from chef_supervisor.domain.errors import AlreadyOver, NotOverYet, StoreUnavailable, UnknownJob, Unprocessable
from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.engine.sarif import MEDIA_TYPE as SARIF
from chef_supervisor.engine.sarif import sarif_of
from chef_supervisor.engine.shapes import a_dict
from chef_supervisor.store.answers import Gap, JobState

_SECONDS: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")

logger = logging.getLogger("chef.api")


class Jobs:
    """The endpoints of jobs that there are."""

    def __init__(self, deps: ApiDependencies) -> None:
        self._deps = deps

    async def answer(self, request: Request) -> Response:
        """Do what the method says; one route, so that any other method is told of both."""
        return await (self.cancel(request) if request.method == "DELETE" else self.read(request))

    async def read(self, request: Request) -> Response:
        """
        Tell all of a job; with `?wait=` once it is over, or after that many seconds as it is then.

        With `?format=sarif` its findings alone, for tools that read that.
        """
        query = read_query(request, {"wait", "format"})
        wait_s = self._wait_s(query.get("wait", "0"))
        if query.get("format", "sarif") != "sarif":
            raise Unprocessable("invalid_parameter", "format", "must be sarif, or be left out")
        job_id = self._deps.known_id(request.path_params["job_id"])
        over = await self._over(request, job_id, wait_s) if wait_s else None
        async with promptly(self._deps.read_timeout_s):
            state = over or await self._deps.store.read(job_id)
            return await (self._sarif(state) if "format" in query else self._view(state))

    async def cancel(self, request: Request) -> Response:
        """End a job wherever it is; 200 where it is cancelled now, or was before."""
        read_query(request)
        job_id = self._deps.known_id(request.path_params["job_id"])
        async with promptly(self._deps.write_timeout_s):
            state = await self._deps.store.cancel(job_id)
            if state.status is not JobStatus.CANCELLED:
                raise AlreadyOver(job_id, state.status)
            logger.info("%s is cancelled", job_id, extra={"event": "job.cancelled", "job_id": job_id})
            return await self._view(state)

    async def _view(self, state: JobState) -> Response:
        result = await self._result_of(state)
        return json_response(job_view(state, result, await self._deliveries_of(state)))

    async def _sarif(self, state: JobState) -> Response:
        result = await self._result_of(state)
        if result is None:
            raise NotOverYet(state.job_id, state.status, "findings as SARIF")
        log = await off_loop(len(result), lambda: orjson.dumps(sarif_of(a_dict(orjson.loads(result)))))
        return Response(log, media_type=SARIF)

    async def _result_of(self, state: JobState) -> bytes | None:
        """Returns: the result of a job that is over; None before."""
        if not state.status.terminal:
            return None
        result = await self._deps.store.result(state.job_id)
        if result is None:
            # An end is stored with its result, so this one is past its retention. Nobody has to read an end without.
            raise UnknownJob(state.job_id)
        return result

    async def _deliveries_of(self, state: JobState) -> Sequence[DeliveryState]:
        if not state.receivers:
            return ()
        return await self._deps.store.deliveries(state.job_id, state.receivers)

    def _wait_s(self, text: str) -> float:
        longest_s = self._deps.settings.http.max_wait_s
        if _SECONDS.fullmatch(text) is None or float(text) > longest_s:
            raise Unprocessable("invalid_parameter", "wait", f"must be 0 to {longest_s:g} seconds")
        return float(text)

    async def _over(self, request: Request, job_id: JobId, wait_s: float) -> JobState | None:
        """Wait. Returns: the job where it was over before; None where it must be read anew."""
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
        return None

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
