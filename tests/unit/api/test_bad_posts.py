from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chef_supervisor.api import HealthReport
from tests.unit.api.api_kit import Api, assert_problem
from tests.unit.api.bad_requests import PARAMETERS, Bad


@pytest.mark.parametrize("bad", PARAMETERS)
@pytest.mark.asyncio
async def test_bad_post_is_refused_and_queues_nothing(api: Api, bad: Bad) -> None:
    response = await api.client.post("/api/jobs", content=bad.body, headers=bad.headers)

    problem = assert_problem(response, bad.status, bad.code)
    assert problem.get("path", "").startswith(bad.path)
    assert not api.store.jobs
    assert not api.hints


@pytest.mark.asyncio
async def test_unknown_field_is_named_with_what_is_known(api: Api) -> None:
    problem = (await api.post(wrong=1)).json()

    assert problem["path"] == "wrong"
    assert "type, priority, data" in problem["detail"]


@pytest.mark.asyncio
async def test_row_41_announced_size_is_refused_before_reading(api: Api) -> None:
    read: list[bool] = []

    async def unread() -> AsyncIterator[bytes]:
        read.append(True)
        yield b""

    headers = {"content-type": "application/json", "content-length": str(10**12)}
    response = await api.client.post("/api/jobs", content=unread(), headers=headers)

    assert_problem(response, 413, "payload_too_large")
    assert response.headers["connection"] == "close"
    assert not read


@pytest.mark.asyncio
async def test_row_42_body_without_length_is_cut_at_the_limit(api: Api) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b" " * (1 << 20)

    response = await api.client.post("/api/jobs", content=endless(), headers={"content-type": "application/json"})

    assert_problem(response, 413, "payload_too_large")
    assert sent <= api.settings.http.max_body_bytes + (2 << 20)


@pytest.mark.asyncio
async def test_row_70_draining_refuses_at_once_and_goes_on_reading(api: Api) -> None:
    job_id = await api.posted()
    api.draining = True

    refused = await api.post()
    read = await api.client.get(f"/api/jobs/{job_id}")

    assert_problem(refused, 503, "draining")
    assert int(refused.headers["retry-after"]) >= 1
    assert read.status_code == 200
    assert len(api.store.jobs) == 1


@pytest.mark.asyncio
async def test_row_70_full_queue_says_when_to_come_again(api: Api) -> None:
    api.store.full = True

    response = await api.post()

    assert_problem(response, 429, "queue_full")
    assert int(response.headers["retry-after"]) >= 1
    assert not api.hints


@pytest.mark.asyncio
async def test_row_70_store_away_is_503(api: Api) -> None:
    api.store.away = True

    response = await api.post()

    assert_problem(response, 503, "store_unavailable")
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "job_id", ["", "*", "%3F", "[a-z]", "{q}", "job:1", "x" * 5_000, "builds.0_short", "%00", "a%2Fb"]
)
@pytest.mark.asyncio
async def test_row_71_malformed_id_is_unknown_without_a_call_of_the_store(api: Api, job_id: str) -> None:
    response = await api.client.get(f"/api/jobs/{job_id}")

    assert_problem(response, 404, "not_found")
    assert api.store.calls == {}


@pytest.mark.asyncio
async def test_row_71_id_of_an_unknown_queue_is_unknown_without_a_call_of_the_store(api: Api) -> None:
    response = await api.client.get("/api/jobs/deploys.0_" + "a" * 26)

    assert_problem(response, 404, "not_found")
    assert api.store.calls == {}


@pytest.mark.asyncio
async def test_row_74_unknown_job_is_404(api: Api) -> None:
    response = await api.client.get("/api/jobs/builds.0_" + "a" * 26)

    assert_problem(response, 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
@pytest.mark.asyncio
async def test_row_75_other_methods_are_told_what_is_allowed(api: Api, method: str) -> None:
    response = await api.client.request(method, "/api/jobs")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/api", "/api/jobs/", "/api/health/", "/api/nothing", "/API/jobs"])
@pytest.mark.asyncio
async def test_unknown_path_is_404_and_never_a_redirect(api: Api, path: str) -> None:
    assert_problem(await api.client.get(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/api/stats", "/api/jobs/builds.0_" + "a" * 26, "/api/events"])
@pytest.mark.asyncio
async def test_row_78_unknown_parameter_is_refused_as_json(api: Api, path: str) -> None:
    response = await api.client.get(path, params={"format": "<script>"})

    problem = assert_problem(response, 422, "unknown_parameter")
    assert problem["path"] == "format"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.asyncio
async def test_crash_is_500_without_details(api: Api) -> None:
    def crash() -> HealthReport:
        raise ZeroDivisionError("secret")

    object.__setattr__(api.deps, "health", crash)

    response = await api.client.get("/api/health", headers={"origin": "http://localhost:5173"})

    assert_problem(response, 500, "internal_error")
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["access-control-allow-origin"] == "http://localhost:5173"
