"""A log that is silent says so now and then, with the place to resume from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from chef_supervisor.api import ApiDependencies
from chef_supervisor.api.logs import Logs
from chef_supervisor.api.submissions import Submissions
from tests.integration.api.running_jobs import Running
from tests.integration.api.server_kit import PATIENCE_S, serving

pytestmark = pytest.mark.asyncio
SSE = {"Accept": "text/event-stream"}


def _with_heartbeats(heartbeat_s: float) -> Callable[[ApiDependencies], Starlette]:
    def app_of(deps: ApiDependencies) -> Starlette:
        logs = Logs(deps, heartbeat_s=heartbeat_s)
        post = Route("/api/jobs", Submissions(deps).submit, methods=["POST"])
        return Starlette(routes=[post, Route("/api/jobs/{job_id}/logs", logs.read)])

    return app_of


@pytest.mark.parametrize("runs", [False, True])
async def test_a_silent_log_has_heartbeats_with_the_place(*, runs: bool) -> None:
    async with serving(app_of=_with_heartbeats(0.05)) as served:
        job_id = await served.api.posted()
        if runs:
            await Running(served, await served.api.claim()).print("x\n")
        async with served.client.stream("GET", f"/api/jobs/{job_id}/logs", headers=SSE) as response:
            places = await _places_of_heartbeats(response, 2)

    assert places == [f"id: {'1-2' if runs else '0-0'}"] * 2


async def _places_of_heartbeats(response: httpx.Response, count: int) -> list[str]:
    places: list[str] = []
    lines = response.aiter_lines()
    async with asyncio.timeout(PATIENCE_S):
        async for line in lines:
            if line == ": heartbeat":
                places.append(await anext(lines))
            if len(places) == count:
                break
    return places
