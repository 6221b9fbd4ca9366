from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.api import HealthReport
from chef_supervisor.api import probe as probe_module
from chef_supervisor.api.probe import StoreProbe
from tests.kit.fake_store import FakeStore
from tests.unit.api.api_kit import Api, assert_problem


@pytest.mark.asyncio
async def test_healthy_while_jobs_are_accepted(api: Api) -> None:
    response = await api.client.get("/api/health?x=1")

    assert response.status_code == 200
    assert response.json() == {
        "status": "healthy",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "redis": "connected",
        "sandbox": "null",
        "sandboxReason": "a test",
        "reasons": [],
    }


@pytest.mark.asyncio
async def test_unhealthy_without_redis(api: Api) -> None:
    api.store.away = True

    response = await api.client.get("/api/health")

    assert response.status_code == 503
    assert (response.json()["status"], response.json()["redis"]) == ("unhealthy", "disconnected")
    assert response.json()["reasons"] == ["Redis does not accept writes: made to fail"]


@pytest.mark.asyncio
async def test_degraded_jobs_are_accepted_all_the_same(api: Api) -> None:
    api.report = HealthReport(sandbox="docker", reasons=("the engine does not answer",))

    response = await api.client.get("/api/health")

    assert response.status_code == 200
    assert (response.json()["status"], response.json()["reasons"]) == ("degraded", ["the engine does not answer"])


@pytest.mark.asyncio
async def test_unhealthy_while_draining_and_when_the_process_says_so(api: Api) -> None:
    api.draining = True
    draining = await api.client.get("/api/health")
    api.draining = False
    api.report = HealthReport(sandbox="none", faults=("no",))
    refusing = await api.client.get("/api/health")

    assert (draining.status_code, refusing.status_code) == (503, 503)
    assert draining.json()["redis"] == "connected"
    assert (draining.json()["reasons"], refusing.json()["reasons"]) == (["the process is stopping"], ["no"])


@pytest.mark.asyncio
async def test_alive_whatever_redis_does(api: Api) -> None:
    api.store.hangs = True

    assert (await api.client.get("/api/health/live")).status_code == 200


@pytest.mark.asyncio
async def test_health_is_only_read(api: Api) -> None:
    assert (await api.client.head("/api/health")).status_code == 200
    assert_problem(await api.client.post("/api/health"), 405, "method_not_allowed")


@pytest.mark.asyncio
async def test_many_who_ask_at_once_are_one_probe() -> None:
    store = FakeStore()
    probe = StoreProbe(store, fresh_s=60.0)

    answers = await asyncio.gather(*(probe.trouble() for _ in range(100)))

    assert answers == [None] * 100
    assert store.calls == {"check": 1}


def test_answer_is_there_within_a_second_and_never_older_than_a_quarter() -> None:
    assert probe_module._TIMEOUT_S + probe_module._FRESH_S / 2 < 0.9
    assert probe_module._FRESH_S <= 0.25


@pytest.mark.asyncio
async def test_answer_is_forgotten_after_a_moment() -> None:
    store = FakeStore()
    probe = StoreProbe(store, fresh_s=0.0)

    before = await probe.trouble()
    store.away = True

    assert (before, await probe.trouble()) == (None, "made to fail")


@pytest.mark.asyncio
async def test_store_that_hangs_counts_as_away_for_all_who_ask() -> None:
    store = FakeStore(hangs=True)
    probe = StoreProbe(store, fresh_s=60.0, timeout_s=0.01)

    async with asyncio.timeout(5.0):
        answers = await asyncio.gather(*(probe.trouble() for _ in range(10)))

    assert answers == ["it did not answer in time"] * 10
    assert store.calls == {"check": 1}


@pytest.mark.asyncio
async def test_caller_who_leaves_takes_no_other_with_it() -> None:
    store = FakeStore(hangs=True)
    probe = StoreProbe(store, fresh_s=0.0, timeout_s=5.0)
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(probe.trouble())
        await store.called("check")
        staying = group.create_task(probe.trouble())
        store.hangs = False

        leaving.cancel()

    assert staying.result() is None
