"""A built site, on an origin of its own: it runs there, and there is nothing else to be had or done."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.label import label_of
from tests.unit.api.api_kit import assert_problem
from tests.unit.api.built_jobs import SITE, Built, building

pytestmark = pytest.mark.asyncio
NOBODY = JobId("builds.0_" + "a" * 26)
# What runs a page at all, and what would let it out of its origin.
ALLOWED = {"allow-scripts", "allow-forms", "allow-modals", "allow-popups", "allow-downloads", "allow-pointer-lock"}


@pytest_asyncio.fixture
async def built() -> AsyncIterator[Built]:
    async with building() as it:
        yield it


def host_of(job_id: JobId, port: str = ":3001") -> str:
    return f"{label_of(job_id)}.preview.localhost{port}"


async def look(built: Built, job_id: JobId, path: str = "/", method: str = "GET", **headers: str) -> httpx.Response:
    return await built.api.client.request(method, path, headers={"host": host_of(job_id), **headers})


async def test_the_api_leads_to_the_preview_by_the_port_that_was_used(built: Built) -> None:
    job_id = await built.job(SITE)

    for port in (":3001", ""):
        response = await built.api.client.get(f"/preview/{job_id}/", headers={"host": f"localhost{port}"})

        assert response.status_code == 307
        assert response.headers["location"] == f"//{host_of(job_id, port)}/"
        assert response.next_request is not None
        assert str(response.next_request.url) == f"http://{host_of(job_id, port)}/"


async def test_the_way_ends_at_the_site(built: Built) -> None:
    job_id = await built.job(SITE)

    response = await built.api.client.get(f"/preview/{job_id}/", follow_redirects=True)

    assert (response.status_code, response.content) == (200, SITE["dist/index.html"])


@pytest.mark.parametrize(
    ("path", "file", "media_type"),
    [
        ("/", "dist/index.html", "text/html; charset=utf-8"),
        ("/assets/app-1.js", "dist/assets/app-1.js", "text/javascript; charset=utf-8"),
        ("/assets/app-1.js.map", "dist/assets/app-1.js.map", "application/json"),
        ("/assets/logo.svg", "dist/assets/logo.svg", "image/svg+xml"),
        ("/docs/", "dist/docs/index.html", "text/html; charset=utf-8"),
        ("/about", "dist/about.html", "text/html; charset=utf-8"),
        ("/caf%C3%A9.txt", "dist/caf\u00e9.txt", "text/plain; charset=utf-8"),
        ("/any/route?of=the#app", "dist/index.html", "text/html; charset=utf-8"),
    ],
)
async def test_files_come_by_their_types(built: Built, path: str, file: str, media_type: str) -> None:
    job_id = await built.job(SITE)

    response = await look(built, job_id, path)

    assert (response.status_code, response.content) == (200, SITE[file])
    assert response.headers["content-type"] == media_type


async def test_a_page_is_alone_and_still_runs(built: Built) -> None:
    job_id = await built.job(SITE)

    for path in ("/", "/assets/app-1.js", "/docs"):
        headers = (await look(built, job_id, path, origin="null")).headers
        sandbox, *allowed = headers["content-security-policy"].split()

        assert (sandbox, set(allowed)) == ("sandbox", ALLOWED)
        # Its own modules, fonts and images are another origin's to it.
        assert headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in headers
        assert headers["cross-origin-resource-policy"] == "cross-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-cache"
        assert "set-cookie" not in headers
        assert "camera=()" in headers["permissions-policy"]


async def test_storage_must_be_asked_for() -> None:
    async with building(own_storage=True) as built:
        policy = (await look(built, await built.job(SITE))).headers["content-security-policy"]

    assert set(policy.split()[1:]) == ALLOWED | {"allow-same-origin"}


@pytest.mark.parametrize("path", ["/api/health", "/api/jobs", "/api/stats", "/api/events"])
@pytest.mark.parametrize(
    "host", ["preview.localhost", "x.preview.localhost", "PREVIEW.localhost:80", "preview.localhost."]
)
async def test_the_api_is_not_reachable_under_the_names_of_previews(built: Built, host: str, path: str) -> None:
    response = await built.api.client.get(path, headers={"host": host})

    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_api_is_not_reachable_under_the_name_of_a_site(built: Built) -> None:
    job_id = await built.job(SITE)

    for host in (host_of(job_id), host_of(job_id).upper(), host_of(job_id, "."), host_of(job_id, ".:3001")):
        response = await built.api.client.get("/api/health/live", headers={"host": host})
        assert response.content == SITE["dist/index.html"]
        posted = await built.api.client.post("/api/jobs", json={}, headers={"host": host})
        assert posted.status_code == 405


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:3001"])
async def test_previews_are_not_reachable_under_the_names_of_the_api(built: Built, host: str) -> None:
    job_id = await built.job(SITE)

    for path in ("/", "/assets/app-1.js", f"/preview/{job_id}/index.html"):
        assert_problem(await built.api.client.get(path, headers={"host": host}), 404, "not_found")


@pytest.mark.parametrize("host", ["xpreview.localhost", "preview.localhost.evil.org", "evil.org", "a.localhost"])
async def test_other_names_are_refused_as_ever(built: Built, host: str) -> None:
    assert_problem(await built.api.client.get("/", headers={"host": host}), 400, "invalid_host")


async def test_two_hosts_are_refused(built: Built) -> None:
    job_id = await built.job(SITE)
    request = built.api.client.build_request("GET", "/")
    request.headers = httpx.Headers([("host", host_of(job_id)), ("host", "localhost")])

    assert_problem(await built.api.client.send(request), 400, "invalid_host")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_nothing_can_be_done_there_but_reading(built: Built, method: str) -> None:
    response = await look(built, await built.job(SITE), method=method)

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


async def test_head_and_etag_work(built: Built) -> None:
    job_id = await built.job(SITE)

    got, told = await look(built, job_id), await look(built, job_id, method="HEAD")
    again = await look(built, job_id, **{"if-none-match": got.headers["etag"]})

    assert (told.status_code, told.content, told.headers) == (200, b"", got.headers)
    assert (again.status_code, again.content) == (304, b"")


async def test_a_folder_moves_to_its_slash_on_the_same_host(built: Built) -> None:
    job_id = await built.job({**SITE, "dist/evil.org/index.html": b"x", "dist/a b/index.html": b"y"})

    for path, location in (("/docs", "/docs/"), ("/evil.org", "/evil.org/"), ("/a%20b", "/a%20b/")):
        response = await look(built, job_id, path)
        assert (response.status_code, response.headers["location"]) == (307, location)
    assert "location" not in (await look(built, job_id, "//evil.org")).headers


@pytest.mark.parametrize(
    ("path", "status"), [("/assets/gone.js", 404), ("/%2e%2e/index.js", 404), ("/index.js", 404), ("/x.html%00", 404)]
)
async def test_what_the_site_does_not_have_is_a_page_that_says_so(built: Built, path: str, status: int) -> None:
    response = await look(built, await built.job(SITE), path)

    assert response.status_code == status
    assert "No such file" in response.text


async def test_a_page_of_ours_runs_nothing_and_shows_names_as_text(built: Built) -> None:
    response = await look(built, await built.job(SITE), "/%3Cscript%3Ealert(1)%3C/script%3E.js")

    assert "<script" not in response.text
    assert "&lt;script" in response.text
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_where_there_is_nothing_to_show_both_sides_say_why(built: Built) -> None:
    pending = await built.api.posted()
    await built.api.claim()
    without = await built.job({"main.js": b"", "report.xml": b""})

    for job_id, status, code, title in (
        (NOBODY, 404, "not_found", "No such preview"),
        (pending, 409, "not_over", "Not built yet"),
        (without, 404, "nothing_to_preview", "Nothing to show"),
    ):
        assert_problem(await built.api.client.get(f"/preview/{job_id}/"), status, code)
        page = await look(built, job_id)
        assert page.status_code == status
        assert f"<h1>{title}</h1>" in page.text
        # A page without scripts may not do it itself.
        assert page.headers.get("refresh") == ("3" if code == "not_over" else None)


async def test_a_site_that_is_not_kept_any_more_says_so(built: Built) -> None:
    job_id = await built.job(SITE)
    await built.artifacts.remove(job_id)

    response = await look(built, job_id)

    assert response.status_code == 410
    assert "not kept any more" in response.text


async def test_redis_that_is_away_is_a_page_too(built: Built) -> None:
    job_id = await built.job(SITE)
    await built.api.store.go_away()

    response = await look(built, job_id)

    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_without_a_suffix_there_are_no_previews() -> None:
    async with building(suffix="") as built:
        job_id = await built.job(SITE)

        assert_problem(await built.api.client.get(f"/preview/{job_id}/"), 404, "not_found")
        assert_problem(await look(built, job_id), 400, "invalid_host")


async def test_another_suffix_is_the_only_one() -> None:
    async with building(suffix="sites.example.org") as built:
        job_id = await built.job(SITE)
        theirs = {"host": f"{label_of(job_id)}.sites.example.org"}

        assert (await built.api.client.get("/", headers=theirs)).content == SITE["dist/index.html"]
        assert_problem(await look(built, job_id), 400, "invalid_host")
