from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from chef_supervisor.api import ApiDependencies
from chef_supervisor.api.events import Events
from tests.integration.api.server_kit import PATIENCE_S, Serving, events_of, serving, some
from tests.unit.api.api_kit import BUILDS, assert_problem

START = "builds:0-0,tests:0-0,lint:0-0"


@pytest.mark.asyncio
async def test_every_change_of_a_job_is_an_event(served: Serving) -> None:
    async with served.client.stream("GET", "/api/events") as response:
        job_id = await served.api.posted()
        claim = await served.api.claim()
        await served.api.store.progress(job_id, claim.fence, 50)
        await served.api.finish(claim)
        events = await some(events_of(response), 4)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert [event.name for event in events] == ["job.pending", "job.processing", "job.progress", "job.completed"]
    assert events[0].content == {
        "jobId": job_id,
        "type": "build",
        "status": "pending",
        "progress": 0,
        "queue": "builds",
        "at": "2023-11-14T22:13:20.000Z",
    }
    assert events[-1].cursor == "builds:4-0,tests:0-0,lint:0-0"


@pytest.mark.parametrize("way", [{"params": {"after": START}}, {"headers": {"Last-Event-ID": START}}])
@pytest.mark.asyncio
async def test_follower_resumes_where_it_was(served: Serving, way: dict[str, Any]) -> None:
    for _ in range(3):
        await served.api.posted()
    await served.api.posted(type="test")

    async with served.client.stream("GET", "/api/events", **way) as response:
        replayed = await some(events_of(response), 4)
    again = replayed[1].cursor
    async with served.client.stream("GET", "/api/events", headers={"Last-Event-ID": again}) as response:
        await served.api.posted(type="lint")
        rest = await some(events_of(response), 2)

    assert [event.content["queue"] for event in replayed] == ["builds", "builds", "builds", "tests"]
    assert [event.content["queue"] for event in rest] == ["builds", "lint"]


@pytest.mark.asyncio
async def test_trimmed_position_is_a_gap_event(served: Serving) -> None:
    for _ in range(5):
        await served.api.posted()
    served.api.store.trim(BUILDS, keep=1)

    async with served.client.stream("GET", "/api/events?after=builds:1-0") as response:
        gap, event = await some(events_of(response), 2)

    assert (gap.name, gap.content) == ("gap", {"queue": "builds", "position": "4-0"})
    assert event.cursor.startswith("builds:5-0")


@pytest.mark.asyncio
async def test_one_job_can_be_followed(served: Serving) -> None:
    await served.api.posted()
    job_id = await served.api.posted()

    async with served.client.stream("GET", f"/api/events?jobId={job_id}&after=builds:0-0") as response:
        [event] = await some(events_of(response), 1)

    assert (event.content["jobId"], event.cursor) == (job_id, "builds:2-0")


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=builds:x",
        "after=nothing:1-0",
        "after=builds:1-0,builds:2-0",
        "after=builds:99999999999999999999-0",
        "after=builds:1",
        "after=builds:1-0&after=tests:1-0",
        "after=builds:*",
        "after=,",
    ],
)
@pytest.mark.asyncio
async def test_malformed_position_is_refused(served: Serving, query: str) -> None:
    assert_problem(await served.client.get(f"/api/events?{query}"), 422, "invalid_parameter")


@pytest.mark.asyncio
async def test_malformed_job_id_is_unknown(served: Serving) -> None:
    assert_problem(await served.client.get("/api/events?jobId=*"), 404, "not_found")


@pytest.mark.asyncio
async def test_head_has_the_headers_and_ends(served: Serving) -> None:
    response = await served.client.head("/api/events")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")


@pytest.mark.asyncio
async def test_one_reader_too_many_is_told_to_come_again_and_a_place_is_freed() -> None:
    async with serving(max_event_readers=1) as served:
        async with served.client.stream("GET", "/api/events") as response:
            await anext(response.aiter_lines())
            refused = await served.client.get("/api/events")
        async with asyncio.timeout(PATIENCE_S):
            while (again := await served.client.head("/api/events")).status_code == 503:
                await served.client.get("/api/health/live")

    assert_problem(refused, 503, "too_many_readers")
    assert int(refused.headers["retry-after"]) >= 1
    assert again.status_code == 200


@pytest.mark.asyncio
async def test_reader_who_leaves_is_forgotten(served: Serving) -> None:
    async with served.client.stream("GET", "/api/events") as response:
        await anext(response.aiter_lines())
        assert served.api.feed.readers == 1

    await served.readers(0)


@pytest.mark.asyncio
async def test_caller_who_leaves_a_long_poll_is_forgotten(served: Serving) -> None:
    job_id = await served.api.posted()
    async with served.connection() as (_, writer):
        writer.write(f"GET /api/jobs/{job_id}?wait=30 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await served.api.store.called("read")
        assert served.api.feed.readers == 1

    await served.readers(0)


@pytest.mark.asyncio
async def test_store_that_goes_away_ends_a_replay_cleanly(served: Serving) -> None:
    await served.api.posted()
    await served.api.store.go_away()

    response = await served.client.get("/api/events?after=builds:0-0")

    assert (response.status_code, response.text) == (200, "retry: 1000\n\n")


@pytest.mark.asyncio
async def test_heartbeat_moves_the_position_to_resume_from() -> None:
    def with_short_heartbeat(deps: ApiDependencies) -> Starlette:
        return Starlette(routes=[Route("/api/events", Events(deps, heartbeat_s=0.01).follow)])

    async with serving(app_of=with_short_heartbeat) as served:
        job_id = await served.api.posted()
        async with served.client.stream("GET", f"/api/events?jobId={job_id}") as response:
            lines = response.aiter_lines()
            await served.api.posted()
            async with asyncio.timeout(PATIENCE_S):
                seen = [await anext(lines)]
                while seen[-1] != "id: builds:2-0":
                    seen.append(await anext(lines))

    assert ": heartbeat" in seen
