"""`POST /api/jobs` as a form: the JSON and an archive, which nobody looks into here."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.payload import unpack
from tests.kit.archives import tar, zipped
from tests.unit.api.api_kit import Api, assert_problem, make_settings

BOUNDARY = "xYzZY"
TAR_GZ = tar({"package.json": b"{}"})
JOB = {"type": "build", "data": {"chatId": "chat1"}}


def part(name: str, content: bytes, headers: str = "") -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{headers}\r\n\r\n'.encode() + content + b"\r\n"
    )


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def good(archive: bytes = TAR_GZ, **data: Any) -> bytes:
    job = JOB | {"data": JOB["data"] | data}  # type: ignore[operator]
    return form(part("job", orjson.dumps(job)), part("archive", archive, '; filename="p.tgz"'))


async def post(api: Api, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}", **headers: str) -> Any:
    return await api.client.post("/api/jobs", content=body, headers={"content-type": kind, **headers})


def asked(api: Api, response: httpx.Response) -> Assignment:
    assert response.status_code == 201, response.text
    return unpack(api.store.jobs[JobId(response.json()["jobId"])].job.payload)


@pytest.mark.asyncio
async def test_form_of_thousands_of_parts_is_not_read_to_its_end(api: Api) -> None:
    parts = [part("job", b""), part("archive", b"")]
    allowed, refused = [await post(api, form(*parts, *[part("x", b"")] * more)) for more in (18, 19)]

    assert_problem(allowed, 422, "unknown_part")
    assert "more than 20 parts" in assert_problem(refused, 400, "invalid_multipart")["detail"]


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(TAR_GZ, id="tar.gz"),
        pytest.param(tar({"a": b""}, compress=False), id="tar"),
        pytest.param(zipped({"a": b""}), id="zip"),
        pytest.param(zipped({}), id="empty zip"),
        pytest.param(TAR_GZ + b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n", id="almost a boundary in it"),
    ],
)
@pytest.mark.asyncio
async def test_archive_is_kept_as_it_came(api: Api, archive: bytes) -> None:
    assert asked(api, await post(api, good(archive))) == Assignment(archive=archive)


@pytest.mark.asyncio
async def test_what_a_usual_client_sends_is_read(api: Api) -> None:
    files = {
        "archive": ("project.zip", TAR_GZ, "application/zip"),
        "job": (None, orjson.dumps(JOB), "application/json"),
    }

    response = await api.client.post("/api/jobs", files=files)

    assert asked(api, response).archive == TAR_GZ


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.asyncio
async def test_body_may_come_in_any_pieces(api: Api, size: int) -> None:
    body = good()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    headers = {"content-type": f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"'}
    response = await api.client.post("/api/jobs", content=pieces(), headers=headers)

    assert asked(api, response).archive == TAR_GZ


@pytest.mark.asyncio
async def test_wishes_stand_beside_an_archive(api: Api) -> None:
    response = await post(api, good(toolchain="npm", env={"TOKEN": "s3cret"}))

    assert asked(api, response).toolchain == "npm"
    assert asked(api, response).secrets


JOB_PART, ARCHIVE_PART = part("job", orjson.dumps(JOB)), part("archive", TAR_GZ)
BAD = {
    "no archive": (form(JOB_PART), 422, "missing_part", "archive"),
    "no job": (form(ARCHIVE_PART), 422, "missing_part", "job"),
    "nothing": (form(), 422, "missing_part", "job"),
    "two archives": (form(JOB_PART, ARCHIVE_PART, ARCHIVE_PART), 422, "duplicate_part", "archive"),
    "two jobs": (form(JOB_PART, JOB_PART, ARCHIVE_PART), 422, "duplicate_part", "job"),
    "unknown part": (form(JOB_PART, ARCHIVE_PART, part("file", b"x")), 422, "unknown_part", "file"),
    "encoded": (
        form(JOB_PART, part("archive", b"H4sI", "\r\nContent-Transfer-Encoding: base64")),
        422,
        "invalid_part",
        "archive",
    ),
    "empty archive": (form(JOB_PART, part("archive", b"")), 422, "invalid_archive", "archive"),
    "no archive at all": (form(JOB_PART, part("archive", b"\x7fELF" * 200)), 422, "invalid_archive", "archive"),
    "rar": (form(JOB_PART, part("archive", b"Rar!\x1a\x07\x00")), 422, "invalid_archive", "archive"),
    "files too": (good(projectFiles={"a": "b"}), 422, "conflicting_files", "data.projectFiles"),
    "base too": (good(baseJobId="builds.0_" + "a" * 26), 422, "conflicting_files", "data.baseJobId"),
    "changes too": (good(changedFiles={"a": "b"}), 422, "conflicting_files", "data.changedFiles"),
    "broken json": (form(part("job", b"{"), ARCHIVE_PART), 400, "invalid_json", ""),
    "no object": (form(part("job", b"[]"), ARCHIVE_PART), 422, "invalid_body", ""),
    "cut": (good()[:-8], 400, "invalid_multipart", ""),
    "cut in a part": (good()[:-60], 400, "invalid_multipart", ""),
    "json instead": (orjson.dumps(JOB), 400, "invalid_multipart", ""),
    "empty": (b"", 400, "invalid_multipart", ""),
    "another boundary": (good().replace(BOUNDARY.encode(), b"other"), 400, "invalid_multipart", ""),
    "nameless": (
        form(f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n".encode()),
        400,
        "invalid_multipart",
        "",
    ),
    "no disposition": (form(f"--{BOUNDARY}\r\nContent-Type: a/b\r\n\r\nx\r\n".encode()), 400, "invalid_multipart", ""),
    "many headers": (
        form(part("job", b"{}", "".join(f"\r\nX-{n}: y" for n in range(9)))),
        400,
        "invalid_multipart",
        "",
    ),
    "long header": (form(part("job", b"{}", f"\r\nX: {'y' * 1024}")), 400, "invalid_multipart", ""),
    "bad header": (form(part("job", b"{}", "\r\nX\x01: y")), 400, "invalid_multipart", ""),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.asyncio
async def test_bad_form_is_refused_and_queues_nothing(api: Api, caplog: pytest.LogCaptureFixture, name: str) -> None:
    body, status, code, path = BAD[name]

    with caplog.at_level(logging.DEBUG):
        response = await post(api, body)

    assert assert_problem(response, status, code).get("path", "") == path
    assert not api.store.jobs
    assert [record for record in caplog.records if record.name.startswith("python_multipart")] == []


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71]
)
@pytest.mark.asyncio
async def test_missing_boundary_is_said_to_be_missing(api: Api, kind: str) -> None:
    response = await post(api, good(), kind)

    assert "boundary" in assert_problem(response, 400, "invalid_multipart")["detail"]


@pytest.mark.asyncio
async def test_compressed_form_is_not_read(api: Api) -> None:
    assert_problem(await post(api, good(), **{"content-encoding": "gzip"}), 415, "unsupported_media_type")


@pytest.mark.asyncio
async def test_endless_form_is_cut_at_the_limit() -> None:
    api = Api(settings=make_settings(max_body_bytes=100_000))
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part("archive", b"")[:-2]
        while True:
            sent += 10_000
            yield TAR_GZ * 1000

    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    response = await api.client.post("/api/jobs", content=endless(), headers=headers)

    assert_problem(response, 413, "payload_too_large")
    assert sent < 200_000


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
@pytest.mark.asyncio
async def test_form_of_a_foreign_page_is_refused(api: Api, origin: str) -> None:
    response = await post(api, good(), origin=origin)

    assert_problem(response, 403, "foreign_origin")
    assert not api.store.jobs


@pytest.mark.asyncio
async def test_form_of_a_page_that_may_call_is_taken(api: Api) -> None:
    assert asked(api, await post(api, good(), origin="http://localhost:5173")).archive == TAR_GZ


@pytest.mark.asyncio
async def test_same_key_and_form_are_one_job(api: Api) -> None:
    answers = [await post(api, good(), **{"idempotency-key": "k"}) for _ in range(2)]
    other = await post(api, good(zipped({"a": b""})), **{"idempotency-key": "k"})

    assert answers[0].json() == answers[1].json()
    assert_problem(other, 422, "idempotency_mismatch")


@pytest.mark.asyncio
async def test_retry_keeps_the_archive_and_the_wishes(api: Api) -> None:
    wishes: dict[str, Any] = {
        "toolchain": "pip",
        "steps": [{"name": "s", "run": "true"}],
        "artifacts": ["*"],
        "env": {"T": "s3cret"},
    }
    first = await post(api, good(**wishes))
    before = asked(api, first)
    await api.store.cancel(first.json()["jobId"])

    again = await api.client.post(f"/api/jobs/{first.json()['jobId']}/retry")

    assert asked(api, again) == before
    assert before.archive
    assert before.steps
    assert before.secrets
