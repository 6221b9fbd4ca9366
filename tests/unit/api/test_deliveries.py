"""What became of telling the receivers of a job, and telling them its end again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from chef_supervisor.domain.delivery import Settlement
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.subscriber import ReceiverName
from tests.unit.api.api_kit import BUILDS, Api, assert_problem
from tests.unit.api.test_telling import ALL, URL, api_of

CONVEX: Final = ReceiverName("convex")
CALLBACK: Final = ReceiverName("callback.hooks.example.com")


@pytest_asyncio.fixture
async def telling() -> AsyncIterator[Api]:
    api = api_of(ALL)
    api.store.delivery_clock_ms = lambda: 1_700_000_000_500.0
    async with api.client:
        yield api


async def _over(api: Api, **fields: Any) -> JobId:
    job_id = await api.posted(**fields)
    await api.finish(await api.claim())
    return job_id


async def _tell(api: Api, receiver: ReceiverName, settlement: Settlement, **settled: Any) -> None:
    [delivery] = await api.store.take_deliveries(BUILDS, receiver, 1)
    assert await api.store.settle(delivery, settlement, **settled)


async def _redeliver(api: Api, job_id: str, content: bytes = b"", **headers: str) -> httpx.Response:
    return await api.client.post(f"/api/jobs/{job_id}/redeliver", content=content, headers=headers)


@pytest.mark.asyncio
async def test_job_of_nobody_has_no_deliveries_and_costs_no_call_for_them(api: Api) -> None:
    job_id = await _over(api)
    api.store.calls.clear()

    view = await api.view(job_id)

    assert view["deliveries"] == []
    assert api.store.calls == {"read": 1, "result": 1}


@pytest.mark.asyncio
async def test_each_receiver_has_what_became_of_the_latest_event(telling: Api) -> None:
    job_id = await _over(telling, callbackUrl=URL)
    await _tell(telling, CONVEX, Settlement.TAKEN)
    await _tell(telling, CALLBACK, Settlement.AGAIN, reason="http_500", delay_ms=5_000)

    deliveries = (await telling.view(job_id))["deliveries"]

    latest = {"event": "job.completed", "seq": 1_001, "reason": None, "nextTryAt": None, "deliveredAt": None}
    at, later = "2023-11-14T22:13:20.500Z", "2023-11-14T22:13:25.500Z"
    assert deliveries == [
        latest | {"receiver": "convex", "status": "delivered", "tries": 1, "deliveredAt": at},
        latest | {"receiver": "hook.default", "status": "waiting", "tries": 0, "nextTryAt": at},
        latest | {"receiver": CALLBACK, "status": "waiting", "tries": 1, "reason": "http_500", "nextTryAt": later},
    ]


@pytest.mark.asyncio
async def test_poll_of_a_job_with_receivers_is_one_call_more(telling: Api) -> None:
    job_id = await telling.posted()
    telling.store.calls.clear()

    await telling.view(job_id)

    assert telling.store.calls == {"read": 1, "deliveries": 1}


@pytest.mark.asyncio
async def test_job_that_has_not_begun_was_told_to_nobody(telling: Api) -> None:
    assert (await telling.view(await telling.posted()))["deliveries"] == []


@pytest.mark.asyncio
async def test_stats_count_deliveries_of_all_queues(telling: Api) -> None:
    await _over(telling, progress=False)
    await telling.store.cancel(await telling.posted(type="test"))
    await _tell(telling, CONVEX, Settlement.TAKEN)
    await _tell(telling, ReceiverName("hook.default"), Settlement.ENDED, reason="http_500")

    stats = (await telling.client.get("/api/stats")).json()

    assert stats["deliveries"] == {"waiting": 2, "delivered": 1, "undeliverable": 1}


@pytest.mark.parametrize("body", [b"", b"{}", b" \r\n"])
@pytest.mark.asyncio
async def test_an_end_is_told_again_to_all(telling: Api, body: bytes) -> None:
    job_id = await _over(telling)
    await _tell(telling, CONVEX, Settlement.ENDED, reason="function_failed")

    response = await _redeliver(telling, job_id, body)

    assert (response.status_code, response.json()) == (202, {"redelivered": ["convex", "hook.default"]})
    assert [one["status"] for one in (await telling.view(job_id))["deliveries"]] == ["waiting", "waiting"]


@pytest.mark.asyncio
async def test_an_end_is_told_again_to_one(telling: Api, caplog: pytest.LogCaptureFixture) -> None:
    job_id = await _over(telling)
    for receiver in (CONVEX, ReceiverName("hook.default")):
        await _tell(telling, receiver, Settlement.TAKEN)

    with caplog.at_level("INFO", logger="chef.api"):
        response = await _redeliver(telling, job_id, b'{"receiver": "convex"}')

    assert response.json() == {"redelivered": ["convex"]}
    assert [one["status"] for one in (await telling.view(job_id))["deliveries"]] == ["waiting", "delivered"]
    [record] = [record for record in caplog.records if record.name == "chef.api"]
    assert vars(record) | {"event": "delivery.repeated", "job_id": job_id, "receivers": ["convex"]} == vars(record)


@pytest.mark.asyncio
async def test_job_without_receivers_is_told_again_to_nobody(api: Api) -> None:
    response = await _redeliver(api, await _over(api))

    assert (response.status_code, response.json()) == (202, {"redelivered": []})


@pytest.mark.asyncio
async def test_job_that_is_not_over_has_no_end_to_tell(telling: Api) -> None:
    waiting = await telling.posted()

    assert_problem(await _redeliver(telling, waiting), 409, "not_over")


@pytest.mark.parametrize("job_id", ["builds.0_" + "a" * 26, "nothing"])
@pytest.mark.asyncio
async def test_unknown_job_is_not_told_again(telling: Api, job_id: str) -> None:
    assert_problem(await _redeliver(telling, job_id), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        (b'{"receiver": "callback.hooks.example.com"}', "unknown_receiver", "receiver"),
        (b'{"receiver": ""}', "unknown_receiver", "receiver"),
        (b'{"receiver": null}', "unknown_receiver", "receiver"),
        (b'{"receiver": ["convex"]}', "unknown_receiver", "receiver"),
        (b'{"receivers": "convex"}', "unknown_field", "receivers"),
        (b"[]", "invalid_body", ""),
        (b"null", "invalid_body", ""),
    ],
)
@pytest.mark.asyncio
async def test_who_is_no_receiver_of_the_job_is_refused(telling: Api, body: bytes, code: str, path: str) -> None:
    job_id = await _over(telling)

    problem = assert_problem(await _redeliver(telling, job_id, body), 422, code)

    assert problem.get("path", "") == path


@pytest.mark.asyncio
async def test_what_is_no_json_or_too_much_is_refused(telling: Api) -> None:
    job_id = await _over(telling)

    assert_problem(await _redeliver(telling, job_id, b"convex"), 400, "invalid_json")
    assert_problem(await _redeliver(telling, job_id, b" " * 5000), 413, "payload_too_large")


@pytest.mark.parametrize(("origin", "status"), [("https://evil.example", 403), ("http://localhost:5173", 202)])
@pytest.mark.asyncio
async def test_only_pages_that_may_call_have_an_end_told_again(telling: Api, origin: str, status: int) -> None:
    job_id = await _over(telling)

    assert (await _redeliver(telling, job_id, origin=origin)).status_code == status
