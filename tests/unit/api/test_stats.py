"""`GET /api/stats` when many ask at once: they share a read, and none is older than its question."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.kit.virtual_time import now_s, settle, virtual
from tests.unit.api.api_kit import Api, assert_problem, make_settings
from tests.unit.api.test_promptness import Slow


async def _waiting(asked: asyncio.Task[httpx.Response]) -> int:
    return int((await asked).json()["queues"]["builds"]["waiting"])


@virtual
async def test_who_asks_while_a_read_is_under_way_is_told_by_the_next() -> None:
    store = Slow()
    api = Api(settings=make_settings(), store=store)
    store.pause_s = 0.2
    async with asyncio.TaskGroup() as group:
        first = group.create_task(api.client.get("/api/stats"))
        await settle()
        store.pause_s = 0.0
        await api.posted()
        later = [group.create_task(api.client.get("/api/stats")) for _ in range(20)]

    assert await _waiting(first) in {0, 1}
    assert [await _waiting(one) for one in later] == [1] * 20
    assert store.calls["stats"] == 2


@virtual
async def test_store_that_is_slow_is_told_in_time_to_those_who_wait_for_the_next_read_too() -> None:
    store = Slow()
    api = Api(settings=make_settings(), store=store)
    store.pause_s = 60.0
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(api.client.get("/api/stats"))]
        await settle()
        asked.append(group.create_task(api.client.get("/api/stats")))

    assert [assert_problem(one.result(), 503, "store_unavailable")["status"] for one in asked] == [503, 503]
    assert now_s() <= 0.8
    # The read that nobody waits for any more has its end too.
    await asyncio.sleep(1.0)


@pytest.mark.asyncio
async def test_who_leaves_takes_no_other_with_it(api: Api) -> None:
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(api.client.get("/api/stats"))
        staying = group.create_task(api.client.get("/api/stats"))
        await asyncio.sleep(0)
        leaving.cancel()

    assert staying.result().status_code == 200
