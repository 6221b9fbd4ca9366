"""What a job made can be had, exactly as it was made, and nothing else can."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from urllib.parse import quote

import attrs
import httpx
import obstore
import pytest
import pytest_asyncio

from chef_supervisor.api import make_app
from chef_supervisor.api.cut import AnswerCut
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable
from chef_supervisor.domain.job import JobStatus
from tests.kit.artifacts import artifact, artifact_store
from tests.unit.api.api_kit import Api, assert_problem
from tests.unit.api.built_jobs import SITE, Built, building

pytestmark = pytest.mark.asyncio
NOBODY = "builds.0_" + "a" * 26


@pytest_asyncio.fixture
async def built() -> AsyncIterator[Built]:
    async with building() as it:
        yield it


def at(job_id: str, path: str = "") -> str:
    return f"/api/jobs/{job_id}/artifacts" + (f"/{quote(path)}" if path else "")


async def test_artifacts_are_listed_as_the_result_lists_them(built: Built) -> None:
    job_id = await built.job(SITE)

    response = await built.api.client.get(at(job_id))

    assert response.status_code == 200
    assert response.json() == {"artifacts": [attrs.asdict(artifact(*file)) for file in SITE.items()]}


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT])
async def test_a_job_that_made_nothing_has_an_empty_list(built: Built, status: JobStatus) -> None:
    job_id = await built.job({}, status)

    assert (await built.api.client.get(at(job_id))).json() == {"artifacts": []}


async def test_every_artifact_comes_as_it_was_made(built: Built) -> None:
    job_id = await built.job(SITE)

    for path, content in SITE.items():
        response = await built.api.client.get(at(job_id, path))

        assert response.status_code == 200
        assert response.content == content
        assert response.headers["content-length"] == str(len(content))
        assert response.headers["etag"] == f'"{artifact(path, content).sha256}"'


async def test_nothing_a_project_made_becomes_a_page_of_the_api(built: Built) -> None:
    files = {"x.html": b"<script>", "x.svg": b"<svg/>", "x.js": b"", "x": b"<html>", "x.exe": b"MZ"}
    job_id = await built.job(files)

    for path in files:
        headers = (await built.api.client.get(at(job_id, path))).headers

        assert headers["content-disposition"].startswith("attachment; ")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert (await built.api.client.get(at(job_id, "x"))).headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("path", "disposition"),
    [
        ("a/b.txt", "attachment; filename=\"b.txt\"; filename*=UTF-8''b.txt"),
        ('q".txt', "attachment; filename=\"q_.txt\"; filename*=UTF-8''q%22.txt"),
        ("caf\u00e9.txt", "attachment; filename=\"caf_.txt\"; filename*=UTF-8''caf%C3%A9.txt"),
        ("100%25.txt", "attachment; filename=\"100%25.txt\"; filename*=UTF-8''100%2525.txt"),
        ("a;b'.txt", "attachment; filename=\"a;b'.txt\"; filename*=UTF-8''a%3Bb%27.txt"),
    ],
)
async def test_hostile_names_are_only_names(built: Built, path: str, disposition: str) -> None:
    job_id = await built.job({path: b"content"})

    response = await built.api.client.get(at(job_id, path))

    assert response.content == b"content"
    assert response.headers["content-disposition"] == disposition


@pytest.mark.parametrize(
    "path",
    [
        "dist",
        "dist/",
        "nope",
        "dist//index.html",
        "%2e%2e/x",
        "dist/index.html/",
        "DIST/index.html",
        "\u202e",
    ],
)
async def test_only_what_the_result_lists_is_looked_up(built: Built, path: str) -> None:
    job_id = await built.job(SITE)

    response = await built.api.client.get(f"/api/jobs/{job_id}/artifacts/{quote(path, safe='/%')}")

    assert_problem(response, 404, "artifact_not_found")


async def test_what_the_caller_has_is_not_sent_again(built: Built) -> None:
    job_id = await built.job(SITE)
    etag = (await built.api.client.get(at(job_id, "index.js"))).headers["etag"]

    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        response = await built.api.client.get(at(job_id, "index.js"), headers={"if-none-match": known})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", etag)
    stale = await built.api.client.get(at(job_id, "index.js"), headers={"if-none-match": '"x"'})
    assert stale.status_code == 200


async def test_head_tells_what_get_would(built: Built) -> None:
    job_id = await built.job(SITE)

    for path in (at(job_id), at(job_id, "index.js"), at(job_id) + "?format=tar.gz"):
        got, told = await built.api.client.get(path), await built.api.client.head(path)

        assert told.status_code == 200
        assert told.content == b""
        assert told.headers == got.headers


async def test_part_of_a_file_can_be_had(built: Built) -> None:
    job_id = await built.job({"a": b"0123456789"})

    response = await built.api.client.get(at(job_id, "a"), headers={"range": "bytes=2-4"})
    beyond = await built.api.client.get(at(job_id, "a"), headers={"range": "bytes=10-"})

    assert (response.status_code, response.content) == (206, b"234")
    assert response.headers["content-range"] == "bytes 2-4/10"
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */10")


async def test_all_come_in_one_archive(built: Built) -> None:
    job_id = await built.job(SITE)

    response = await built.api.client.get(at(job_id), params={"format": "tar.gz"})

    with tarfile.open(fileobj=io.BytesIO(response.content), mode="r:gz") as archive:
        assert archive.getnames() == list(SITE)
    assert response.headers["content-type"] == "application/gzip"
    assert f'filename="{job_id}.tar.gz"' in response.headers["content-disposition"]
    assert response.content == (await built.api.client.get(at(job_id), params={"format": "tar.gz"})).content


@pytest.mark.parametrize(
    ("query", "code"),
    [("format=zip", "invalid_parameter"), ("format=", "invalid_parameter"), ("x=1", "unknown_parameter")],
)
async def test_other_formats_are_refused(built: Built, query: str, code: str) -> None:
    job_id = await built.job(SITE)

    assert_problem(await built.api.client.get(f"{at(job_id)}?{query}"), 422, code)


@pytest.mark.parametrize("path", ["", "index.js"])
async def test_a_job_that_is_not_over_has_none_yet(built: Built, path: str) -> None:
    job_id = await built.api.posted()

    problem = assert_problem(await built.api.client.get(at(job_id, path)), 409, "not_over")
    await built.api.claim()
    assert_problem(await built.api.client.get(at(job_id, path)), 409, "not_over")

    assert "pending" in problem["detail"]
    assert "?wait=30" in problem["detail"]


@pytest.mark.parametrize("job_id", [NOBODY, "nobody", "elsewhere.0_" + "a" * 26])
@pytest.mark.parametrize("path", ["", "index.js"])
async def test_unknown_jobs_have_none(built: Built, job_id: str, path: str) -> None:
    assert_problem(await built.api.client.get(at(job_id, path)), 404, "not_found")


async def test_a_job_that_is_forgotten_has_none_though_its_list_was_read_before(built: Built) -> None:
    job_id = await built.job(SITE)
    assert (await built.api.client.get(at(job_id, "index.js"))).status_code == 200

    del built.api.store.jobs[job_id]

    assert_problem(await built.api.client.get(at(job_id, "index.js")), 404, "not_found")


@pytest.mark.parametrize("query", ["/index.js", "?format=tar.gz"])
async def test_what_is_not_kept_any_more_is_gone(built: Built, query: str) -> None:
    job_id = await built.job(SITE)
    await built.artifacts.remove(job_id)

    assert_problem(await built.api.client.get(at(job_id) + query), 410, "artifact_gone")
    assert len((await built.api.client.get(at(job_id))).json()["artifacts"]) == len(SITE)


async def test_a_process_without_a_store_has_no_contents(api: Api) -> None:
    job_id = await Built(api, artifact_store()).job(SITE)

    assert_problem(await api.client.get(at(job_id, "index.js")), 410, "artifact_gone")


async def test_a_store_that_does_not_answer_is_told(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await built.job(SITE)

    async def away(*_: object, **__: object) -> None:
        raise ArtifactsUnavailable("made to fail")

    monkeypatch.setattr(obstore, "get_async", away)
    response = await built.api.client.get(at(job_id, "index.js"))

    assert_problem(response, 503, "artifacts_unavailable")
    assert response.headers["retry-after"] == "2"


async def test_an_archive_that_breaks_off_is_cut_and_never_ends_well(built: Built) -> None:
    job_id = await built.job(SITE)
    await obstore.delete_async(
        built.artifacts.objects, f"realm/{job_id}/{artifact('index.js', SITE['index.js']).sha256}"
    )
    transport = httpx.ASGITransport(make_app(built.api.deps))

    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        with pytest.raises(AnswerCut):
            await client.get(at(job_id), params={"format": "tar.gz"})


async def test_a_site_of_many_requests_reads_its_result_once(built: Built) -> None:
    job_id = await built.job(SITE)
    built.api.store.calls.clear()

    for path in SITE:
        await built.api.client.get(at(job_id, path))

    assert built.api.store.calls == {"read": len(SITE), "result": 1}
