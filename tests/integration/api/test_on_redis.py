"""The whole way of a job through the API with nothing made up: a real server, the real store, a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from chef_supervisor.domain.job import Claim, JobStatus
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.payload import unpack
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.api.redis_kit import serving_on
from tests.integration.api.server_kit import events_of, some
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.unit.api.api_kit import BUILDS, assert_problem, data, job_body


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


async def _finish(store: RedisJobStore, claim: Claim) -> None:
    result = Result(verdict=Verdict.PASSED, message="built")
    assert await store.finish(claim.job_id, claim.fence, Outcome(status=JobStatus.COMPLETED, result=result))


@pytest.mark.asyncio
async def test_job_goes_all_the_way(redis: RedisProcess) -> None:
    async with serving_on(redis) as on, asyncio.TaskGroup() as group:
        store, client = on.worker, on.client
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
    assert unpack(claim.payload).files == {"é.txt": "ü".encode()}
    assert [event.name for event in seen] == ["job.pending", "job.processing", "job.progress", "job.completed"]
    assert again == seen[2:]
    assert (finished["status"], finished["progress"], finished["priority"]) == ("completed", 100, 10)
    assert (finished["result"]["verdict"], finished["result"]["message"]) == ("passed", "built")
    assert (stats["completed"], stats["waiting"], stats["active"]) == (1, 0, 0)


@pytest.mark.asyncio
async def test_foreign_position_is_a_gap(redis: RedisProcess) -> None:
    async with serving_on(redis) as on:
        await on.client.post("/api/jobs", json=job_body())

        async with on.client.stream("GET", "/api/events?after=builds:1700000000000-5") as stream:
            [gap] = await some(events_of(stream), 1)

    assert gap.name == "gap"


@pytest.mark.asyncio
async def test_unknown_job_is_404_and_health_is_good(redis: RedisProcess) -> None:
    async with serving_on(redis) as on:
        assert_problem(await on.client.get("/api/jobs/builds.0_" + "a" * 26), 404, "not_found")
        assert (await on.client.get("/api/health")).json()["redis"] == "connected"
