from __future__ import annotations

import httpx
import pytest

from tests.unit.api.api_kit import Api, assert_problem, job_body, make_settings

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
    assert preflight.headers["access-control-allow-methods"] == "DELETE, GET, HEAD, POST"
    assert preflight.headers["access-control-allow-headers"] == "content-type, idempotency-key, last-event-id"
    assert refused.headers["access-control-expose-headers"] == "idempotent-replayed, location, retry-after"
    for response in (preflight, refused):
        assert response.headers["access-control-allow-origin"] == origin
        assert response.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.asyncio
async def test_foreign_pages_are_not_granted(api: Api, origin: str) -> None:
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
async def test_only_listed_hosts_are_answered() -> None:
    api = Api(settings=make_settings(allowed_hosts=("localhost", "*.chef.example", "[::1]")))

    for host in ("localhost", "LOCALHOST:3001", "a.chef.example:80", "[::1]:3001"):
        assert (await api.client.get("/api/health/live", headers={"host": host})).status_code == 200
    for host in ("evil.com", "chef.example", "localhost.evil.com", "a b", "localhost:x", "localhost@evil.com", ""):
        assert_problem(await api.client.get("/api/health/live", headers={"host": host}), 400, "invalid_host")


@pytest.mark.parametrize("allowed", ["local", "LOCAL"])
@pytest.mark.asyncio
async def test_local_is_this_machine_on_any_port_and_nothing_else(allowed: str) -> None:
    api = Api(settings=make_settings(allowed_hosts=(allowed,)))

    for host in ("localhost", "LocalHost:3001", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:3001"):
        assert (await api.client.get("/api/health/live", headers={"host": host})).status_code == 200
    for host in ("local", "rebound.evil.com:3001", "localhost.evil.com", "127.0.0.1.evil.com", "127.0.0.2", "[::2]"):
        assert_problem(await api.client.get("/api/health/live", headers={"host": host}), 400, "invalid_host")


@pytest.mark.asyncio
async def test_page_whose_name_was_rebound_to_this_machine_queues_nothing() -> None:
    api = Api(settings=make_settings(allowed_hosts=("local",)))
    headers = {"host": "evil.com:3001", "origin": "http://evil.com:3001", "content-type": "application/json"}

    response = await api.client.post("/api/jobs", json=job_body(), headers=headers)

    assert_problem(response, 400, "invalid_host")
    assert not api.store.jobs


@pytest.mark.asyncio
async def test_local_hosts_stand_beside_others() -> None:
    api = Api(settings=make_settings(allowed_hosts=("local", "chef.example")))

    for host in ("localhost:3001", "chef.example"):
        assert (await api.client.get("/api/health/live", headers={"host": host})).status_code == 200


@pytest.mark.asyncio
async def test_any_host_is_answered_when_asked_for() -> None:
    api = Api(settings=make_settings(allowed_hosts=("*",)))

    assert (await api.client.get("/api/health/live", headers={"host": "any.example"})).status_code == 200


@pytest.mark.parametrize("host", ["chef.example:3001", "a b", ""])
@pytest.mark.asyncio
async def test_refused_host_is_told_which_setting_allows_it(host: str) -> None:
    api = Api(settings=make_settings(allowed_hosts=("local",)))

    problem = (await api.client.get("/api/health/live", headers={"host": host})).json()

    assert "CHEF_HTTP_ALLOWED_HOSTS" in problem["detail"]
    assert host.partition(":")[0] in problem["detail"] or " " in host


@pytest.mark.asyncio
async def test_two_hosts_are_refused(api: Api) -> None:
    hosts = [("host", "localhost"), ("host", "localhost")]
    request = api.client.build_request("GET", "/api/health/live", headers=hosts)

    problem = assert_problem(await api.client.send(request), 400, "invalid_host")

    assert "one Host header" in problem["detail"]
