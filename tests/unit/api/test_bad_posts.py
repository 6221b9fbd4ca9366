from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from chef_supervisor.api import HealthReport, make_app, project_files
from chef_supervisor.domain.errors import CorruptState, NotDurable, StoreFull, StoreUnavailable
from tests.unit.api.api_kit import Api, assert_problem, data
from tests.unit.api.bad_options import PARAMETERS as OPTIONS
from tests.unit.api.bad_requests import PARAMETERS, Bad, job_with_files

UNKNOWN = "builds.0_" + "a" * 26


@pytest.mark.parametrize("bad", [*PARAMETERS, *OPTIONS])
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
async def test_missing_type_is_said_to_be_missing(api: Api) -> None:
    problem = (await api.post(type=None)).json()

    assert problem["code"] == "missing_field"
    assert problem["detail"] == "is missing; must be one of build, test, lint, analyze"


@pytest.mark.parametrize(
    ("value", "count"), [pytest.param("", 170_000, id="files"), pytest.param({"type": "folder"}, 90_000, id="folders")]
)
@pytest.mark.asyncio
async def test_far_too_many_files_are_refused_without_a_look_at_any(
    api: Api, monkeypatch: pytest.MonkeyPatch, value: Any, count: int
) -> None:
    looks = Mock()
    monkeypatch.setattr(project_files, "_path", looks)
    monkeypatch.setattr(project_files, "_content", looks)

    response = await api.post(job_with_files({f"f{number}": value for number in range(count)}))

    problem = assert_problem(response, 422, "too_many_files")
    assert str(count) in problem["detail"]
    assert looks.call_count == 0


@pytest.mark.parametrize(
    ("paths", "detail"),
    [
        (("a.txt", "/home/project/a.txt"), "'a.txt' is there twice"),
        (("caf\u00e9", "cafe\u0301"), "'caf\u00e9' is there twice"),
        (("src/App.tsx", "src/app.tsx"), "'src/App.tsx' and 'src/app.tsx' differ only in upper and lower case"),
        (("Src", "src/a"), "'Src' is both a file and a folder"),
    ],
)
@pytest.mark.asyncio
async def test_paths_that_exclude_each_other_are_named(api: Api, paths: tuple[str, ...], detail: str) -> None:
    problem = assert_problem(await api.post(data=data(dict.fromkeys(paths, "x"))), 422, "invalid_path")

    assert problem["detail"] == detail


@pytest.mark.asyncio
async def test_announced_size_is_refused_before_reading(api: Api) -> None:
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
async def test_body_without_length_is_cut_at_the_limit(api: Api) -> None:
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
async def test_draining_refuses_at_once_and_goes_on_reading(api: Api) -> None:
    job_id = await api.posted()
    api.draining = True

    refused = await api.post()
    read = await api.client.get(f"/api/jobs/{job_id}")

    problem = assert_problem(refused, 503, "draining")
    assert "did not take the job; send it again" in problem["detail"]
    assert int(refused.headers["retry-after"]) >= 1
    assert read.status_code == 200
    assert len(api.store.jobs) == 1


@pytest.mark.asyncio
async def test_full_queue_says_when_to_come_again(api: Api) -> None:
    api.store.full = True

    response = await api.post()

    assert_problem(response, 429, "queue_full")
    assert int(response.headers["retry-after"]) >= 1
    assert not api.hints


@pytest.mark.asyncio
async def test_store_away_is_503(api: Api) -> None:
    api.store.away = True

    response = await api.post()

    assert_problem(response, 503, "store_unavailable")
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (StoreFull("its memory is full (maxmemory)"), 503, "store_full"),
        (NotDurable("the disk was too slow"), 503, "durability_unconfirmed"),
        (StoreUnavailable("it is loading its data"), 503, "store_unavailable"),
    ],
)
@pytest.mark.asyncio
async def test_what_the_store_refuses_is_told_with_when_to_come_again(
    api: Api, refusal: StoreUnavailable, status: int, code: str
) -> None:
    api.store.refusal = refusal

    response = await api.post()

    problem = assert_problem(response, status, code)
    assert refusal.reason in problem["detail"]
    assert response.headers["retry-after"] == str(int(refusal.retry_after_s))
    assert not api.hints


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.asyncio
async def test_job_that_cannot_be_read_is_500_and_told_to_us(api: Api, method: str) -> None:
    api.store.corrupt = True
    crash = httpx.ASGITransport(make_app(api.deps))

    response = await api.client.request(method, f"/api/jobs/{UNKNOWN}")
    async with httpx.AsyncClient(transport=crash, base_url="http://127.0.0.1") as client:
        with pytest.raises(CorruptState):
            await client.request(method, f"/api/jobs/{UNKNOWN}")

    problem = assert_problem(response, 500, "corrupt_state")
    assert "secret" not in problem["detail"]


@pytest.mark.parametrize(
    "job_id", ["", "*", "%3F", "[a-z]", "{q}", "{job_id}", "job:1", "x" * 5_000, "builds.0_short", "%00", "a%2Fb"]
)
@pytest.mark.asyncio
async def test_malformed_id_is_unknown_without_a_call_of_the_store(api: Api, job_id: str) -> None:
    response = await api.client.get(f"/api/jobs/{job_id}")

    assert_problem(response, 404, "not_found")
    assert api.store.calls == {}


@pytest.mark.asyncio
async def test_id_of_an_unknown_queue_is_unknown_without_a_call_of_the_store(api: Api) -> None:
    response = await api.client.get("/api/jobs/deploys.0_" + "a" * 26)

    assert_problem(response, 404, "not_found")
    assert api.store.calls == {}


@pytest.mark.asyncio
async def test_unknown_job_is_404(api: Api) -> None:
    response = await api.client.get("/api/jobs/builds.0_" + "a" * 26)

    assert_problem(response, 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
@pytest.mark.asyncio
async def test_other_methods_are_told_what_is_allowed(api: Api, method: str) -> None:
    response = await api.client.request(method, "/api/jobs")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    if method != "HEAD":
        problem = assert_problem(response, 405, "method_not_allowed")
        assert problem["detail"] == f"{method} is not allowed here; allowed: POST"


@pytest.mark.parametrize("path", ["/", "/api", "/api/jobs/", "/api/health/", "/api/nothing", "/API/jobs"])
@pytest.mark.asyncio
async def test_unknown_path_is_404_and_never_a_redirect(api: Api, path: str) -> None:
    problem = assert_problem(await api.client.get(path), 404, "not_found")

    assert "docs/api.md" in problem["detail"]


@pytest.mark.parametrize("path", ["/api/stats", "/api/jobs/builds.0_" + "a" * 26, "/api/events"])
@pytest.mark.asyncio
async def test_unknown_parameter_is_refused_as_json(api: Api, path: str) -> None:
    response = await api.client.get(path, params={"shape": "<script>"})

    problem = assert_problem(response, 422, "unknown_parameter")
    assert problem["path"] == "shape"
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
