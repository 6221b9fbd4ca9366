from __future__ import annotations

import httpx
import pytest

from tests.unit.api.api_kit import Api, assert_problem, make_settings

LOCAL = ["http://localhost:5173", "https://localhost", "http://127.0.0.1:3000", "http://[::1]:8080"]
FOREIGN = [
    "https://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost:5173@evil.example",
    "null",
    "file://",
    "http://127.0.0.2",
    "",
]


async def _preflight(api: Api, origin: str) -> httpx.Response:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    return await api.client.options("/api/jobs", headers=headers)


@pytest.mark.parametrize("origin", LOCAL)
@pytest.mark.asyncio
async def test_local_pages_may_call(api: Api, origin: str) -> None:
    preflight = await _preflight(api, origin)
    refused = await api.client.post("/api/jobs", headers={"origin": origin})

    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "content-type" in preflight.headers["access-control-allow-headers"]
    for response in (preflight, refused):
        assert response.headers["access-control-allow-origin"] == origin
        assert response.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.asyncio
async def test_row_80_foreign_pages_are_not_granted(api: Api, origin: str) -> None:
    preflight = await _preflight(api, origin)
    answer = await api.client.get("/api/stats", headers={"origin": origin})

    assert (preflight.status_code, answer.status_code) == (204, 200)
    for response in (preflight, answer):
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.asyncio
async def test_listed_origins_are_the_only_ones() -> None:
    api = Api(settings=make_settings(cors_origins=("https://chef.example",)))

    listed = await _preflight(api, "https://chef.example")
    local = await _preflight(api, LOCAL[0])

    assert listed.headers["access-control-allow-origin"] == "https://chef.example"
    assert "access-control-allow-origin" not in local.headers


@pytest.mark.asyncio
async def test_any_origin_is_granted_when_asked_for() -> None:
    api = Api(settings=make_settings(cors_origins=("*",)))

    assert (await _preflight(api, "https://evil.example")).headers["access-control-allow-origin"] == "*"


@pytest.mark.asyncio
async def test_row_58_only_listed_hosts_are_answered() -> None:
    api = Api(settings=make_settings(allowed_hosts=("localhost", "*.chef.example", "[::1]")))

    for host in ("localhost", "LOCALHOST:3001", "a.chef.example:80", "[::1]:3001"):
        assert (await api.client.get("/api/health/live", headers={"host": host})).status_code == 200
    for host in ("evil.com", "chef.example", "localhost.evil.com", "a b", "localhost:x", "localhost@evil.com", ""):
        assert_problem(await api.client.get("/api/health/live", headers={"host": host}), 400, "invalid_host")


@pytest.mark.asyncio
async def test_row_58_two_hosts_are_refused(api: Api) -> None:
    request = api.client.build_request("GET", "/api/health/live", headers=[("host", "a"), ("host", "b")])

    assert_problem(await api.client.send(request), 400, "invalid_host")
