"""The whole way of a job through the API with nothing made up: a real server, the real store, a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from chef_supervisor.api import ApiDependencies, EventFeed, HealthReport, Server, make_app
from chef_supervisor.domain.job import Claim, JobStatus
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.payload import unpack
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.api.server_kit import PATIENCE_S, events_of, some
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.unit.api.api_kit import BUILDS, assert_problem, data, job_body, make_settings


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


@asynccontextmanager
async def _serving(redis: RedisProcess) -> AsyncIterator[tuple[RedisJobStore, httpx.AsyncClient]]:
    settings = make_settings()
    store = RedisJobStore(redis.config(command_timeout_s=2.0))
    feed = EventFeed(store, tuple(settings.queues), poll_s=1.0)
    deps = ApiDependencies(settings=settings, store=store, feed=feed, health=lambda: HealthReport(sandbox="null"))
    server = Server(make_app(deps), settings.http, on_stop=feed.end_all)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(feed.run()), group.create_task(server.run())]
        await server.ready.wait()
        await feed.placed(PATIENCE_S)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE_S) as client:
            yield store, client
        await server.stop(1.0)
        running[0].cancel()
    server.close()
    await store.close()


async def _finish(store: RedisJobStore, claim: Claim) -> None:
    result = Result(verdict=Verdict.PASSED, message="built")
    assert await store.finish(claim.job_id, claim.fence, Outcome(status=JobStatus.COMPLETED, result=result))


@pytest.mark.asyncio
async def test_job_goes_all_the_way(redis: RedisProcess) -> None:
    async with _serving(redis) as (store, client), asyncio.TaskGroup() as group:
        async with client.stream("GET", "/api/events") as stream:
            events = events_of(stream)
            posted = await client.post("/api/jobs", json=job_body(data=data({"é.txt": "ü"}), priority="high"))
            job_id = posted.json()["jobId"]
            waiting = group.create_task(client.get(f"/api/jobs/{job_id}?wait=30"))
            [claim] = await store.claim(BUILDS, 1)
            await store.progress(claim.job_id, claim.fence, 50)
            seen = await some(events, 3)
            await _finish(store, claim)
            seen += await some(events, 1)
            finished = (await waiting).json()
        async with client.stream("GET", "/api/events", headers={"Last-Event-ID": seen[1].cursor}) as stream:
            again = await some(events_of(stream), 2)
        stats = (await client.get("/api/stats")).json()["queues"]["builds"]

    assert posted.status_code == 201
    assert unpack(claim.payload) == {"é.txt": "ü".encode()}
    assert [event.name for event in seen] == ["job.pending", "job.processing", "job.progress", "job.completed"]
    assert again == seen[2:]
    assert (finished["status"], finished["progress"], finished["priority"]) == ("completed", 100, 10)
    assert (finished["result"]["verdict"], finished["result"]["message"]) == ("passed", "built")
    assert (stats["completed"], stats["waiting"], stats["active"]) == (1, 0, 0)


@pytest.mark.asyncio
async def test_foreign_position_is_a_gap(redis: RedisProcess) -> None:
    async with _serving(redis) as (_, client):
        await client.post("/api/jobs", json=job_body())

        async with client.stream("GET", "/api/events?after=builds:1700000000000-5") as stream:
            [gap] = await some(events_of(stream), 1)

    assert gap.name == "gap"


@pytest.mark.asyncio
async def test_unknown_job_is_404_and_health_is_good(redis: RedisProcess) -> None:
    async with _serving(redis) as (_, client):
        assert_problem(await client.get("/api/jobs/builds.0_" + "a" * 26), 404, "not_found")
        assert (await client.get("/api/health")).json()["redis"] == "connected"
