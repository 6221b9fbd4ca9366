"""Receivers of jobs through the API on the real store; a worker takes the deliveries, and nobody is told anything."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
import pytest_asyncio

from chef_supervisor.domain.delivery import Delivery, EventKind, Settlement
from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.settings import load
from tests.integration.api.redis_kit import OnRedis, serving_on
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.unit.api.api_kit import BUILDS, assert_problem, job_body
from tests.unit.api.test_telling import ALL, URL

CONVEX: Final = ReceiverName("convex")
CALLBACK: Final = ReceiverName("callback.hooks.example.com")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


@pytest_asyncio.fixture
async def on(redis: RedisProcess) -> AsyncIterator[OnRedis]:
    async with serving_on(redis, told=load(ALL), key_prefix=f"test-{uuid.uuid4().hex}") as on:
        yield on


async def _over(on: OnRedis, **fields: Any) -> JobId:
    posted = await on.client.post("/api/jobs", json=job_body(**fields))
    assert posted.status_code == 201, posted.text
    [claim] = await on.worker.claim(BUILDS, 1)
    result = Result(verdict=Verdict.PASSED, message="built")
    assert await on.worker.finish(claim.job_id, claim.fence, Outcome(status=JobStatus.FAILED, result=result))
    return claim.job_id


async def _taken(on: OnRedis, receiver: ReceiverName) -> Delivery:
    [delivery] = await on.worker.take_deliveries(BUILDS, receiver, 1)
    return delivery


async def _deliveries(on: OnRedis, job_id: str) -> dict[str, dict[str, Any]]:
    shown = (await on.client.get(f"/api/jobs/{job_id}")).json()["deliveries"]
    return {one["receiver"]: one for one in shown}


@pytest.mark.asyncio
async def test_end_is_told_shown_counted_and_told_again(on: OnRedis) -> None:
    job_id = await _over(on, callbackUrl=URL, progress=False)
    delivery = await _taken(on, CALLBACK)
    assert await on.worker.settle(delivery, Settlement.ENDED, reason="http_500")
    assert await on.worker.settle(await _taken(on, CONVEX), Settlement.TAKEN)

    before = await _deliveries(on, job_id)
    stats = (await on.client.get("/api/stats")).json()["deliveries"]
    again = await on.client.post(f"/api/jobs/{job_id}/redeliver", json={"receiver": CALLBACK})
    repeated = await _taken(on, CALLBACK)

    assert (delivery.url, delivery.kind, delivery.seq) == (URL, EventKind.FAILED, 1_000)
    assert {name: one["status"] for name, one in before.items()} == {
        "convex": "delivered",
        "hook.default": "waiting",
        CALLBACK: "undeliverable",
    }
    assert (before[CALLBACK]["reason"], before[CALLBACK]["tries"], before[CALLBACK]["nextTryAt"]) == (
        "http_500",
        1,
        None,
    )
    assert before["convex"]["deliveredAt"]
    assert before["hook.default"]["nextTryAt"]
    assert stats == {"waiting": 1, "delivered": 1, "undeliverable": 1}
    assert (again.status_code, again.json()) == (202, {"redelivered": [CALLBACK]})
    assert (repeated.event_id, repeated.url) == (delivery.event_id, URL)


@pytest.mark.asyncio
async def test_retry_is_told_to_the_same_receivers(on: OnRedis) -> None:
    job_id = await _over(on, callbackUrl=URL)

    again = (await on.client.post(f"/api/jobs/{job_id}/retry")).json()["jobId"]
    await on.worker.claim(BUILDS, 1)

    told = await on.worker.take_deliveries(BUILDS, CALLBACK, 10)
    assert {(delivery.job_id, delivery.url) for delivery in told} == {(job_id, URL), (again, URL)}
    assert (await on.worker.original(again)).subscribers == (await on.worker.original(job_id)).subscribers


@pytest.mark.asyncio
async def test_what_cannot_be_told_again_is_refused(on: OnRedis) -> None:
    job_id = await _over(on)
    waiting = (await on.client.post("/api/jobs", json=job_body())).json()["jobId"]

    def path(job: str) -> str:
        return f"/api/jobs/{job}/redeliver"

    for nobody in (CALLBACK, "convex ", ""):
        assert_problem(await on.client.post(path(job_id), json={"receiver": nobody}), 422, "unknown_receiver")
    assert_problem(await on.client.post(path(waiting)), 409, "not_over")
    assert_problem(await on.client.post(path("builds.0_" + "a" * 26)), 404, "not_found")
    assert (await on.client.post(path(job_id))).json() == {"redelivered": ["convex", "hook.default"]}


@pytest.mark.asyncio
async def test_deliveries_of_known_receivers_are_those_of_the_job(on: OnRedis) -> None:
    job_id = await _over(on, callbackUrl=URL)
    await _taken(on, CONVEX)

    state = await on.store.read(job_id)

    assert state.receivers == ("convex", "hook.default", CALLBACK)
    assert await on.store.deliveries(job_id, state.receivers) == await on.store.deliveries(job_id)
