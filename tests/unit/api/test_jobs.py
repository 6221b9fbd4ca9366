from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from chef_supervisor.api import job_request, project, submissions
from chef_supervisor.domain.job import JobId, JobStatus, QueueName, queue_of
from chef_supervisor.domain.payload import unpack
from tests.unit.api.api_kit import BUILDS, Api, assert_problem, data
from tests.unit.api.bad_requests import job_with_files


@pytest.mark.asyncio
async def test_accepted_job_is_queued_and_told_of(api: Api) -> None:
    response = await api.post(priority="high")

    view = response.json()
    job_id = view["jobId"]
    assert response.status_code == 201
    assert view == {
        "jobId": job_id,
        "type": "build",
        "status": "pending",
        "queue": "builds",
        "priority": 10,
        "createdAt": "2023-11-14T22:13:20.000Z",
    }
    assert response.headers["location"] == f"/api/jobs/{job_id}"
    assert unpack(api.store.jobs[JobId(job_id)].job.payload).files == {"a.txt": b"a"}
    assert api.hints == [BUILDS]


@pytest.mark.parametrize(
    ("job_type", "queue"), [("build", "builds"), ("test", "tests"), ("lint", "lint"), ("analyze", "lint")]
)
@pytest.mark.asyncio
async def test_type_decides_the_queue(api: Api, job_type: str, queue: str) -> None:
    response = await api.post(type=job_type)

    assert response.json()["queue"] == queue
    assert queue_of(response.json()["jobId"]) == queue
    assert api.hints == [QueueName(queue)]


@pytest.mark.parametrize(
    ("asked", "priority"), [("low", 1), ("normal", 5), ("high", 10), ("critical", 20), (1, 1), (20, 20), (None, 5)]
)
@pytest.mark.asyncio
async def test_priority_is_a_name_or_a_number(api: Api, asked: Any, priority: int) -> None:
    assert (await api.post(priority=asked)).json()["priority"] == priority


@pytest.mark.parametrize(
    "chat_id",
    [
        "jh7a3k2m9x4q5w6e7r8t9y0u1i2o3p4a",
        "550e8400-e29b-41d4-a716-446655440000",
        "V1StGXR8_Z5jdHi6B-myT",
        "-_-",
        "user+tag@example.org",
        "c" * 128,
    ],
)
@pytest.mark.asyncio
async def test_usual_ids_are_chat_ids(api: Api, chat_id: str) -> None:
    job_id = await api.posted(data=data({"a": "b"}, chat_id))

    assert api.store.jobs[job_id].job.tenant == chat_id


@pytest.mark.asyncio
async def test_acceptance_is_logged_once_without_the_body(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="chef.api"):
        job_id = await api.posted(data=data({"a.txt": "s3cret"}))

    # Other loggers speak too, where a test before this one made them, or the machine is slow.
    [record] = [record for record in caplog.records if record.name == "chef.api"]
    extra = {key: getattr(record, key) for key in ("event", "job_id", "queue", "type", "tenant")}
    assert extra == {"event": "job.pending", "job_id": job_id, "queue": "builds", "type": "build", "tenant": "chat1"}
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"src/é.ts": "ü"}, {"src/é.ts": "ü".encode()}),
        (
            {"a.png": {"content": base64.b64encode(b"\x89PNG\xff").decode(), "encoding": "base64"}},
            {"a.png": b"\x89PNG\xff"},
        ),
        ({"a": {"content": "x", "encoding": "utf-8"}, "b": {"content": ""}}, {"a": b"x", "b": b""}),
        (
            {
                "/home/project": {"type": "folder"},
                "/home/project/src": {"type": "folder"},
                "/home/project/src/a.ts": {"type": "file", "content": "a", "isBinary": False},
                "/home/project/logo.png": {"type": "file", "content": "", "isBinary": True},
                "/home/project/gone.ts": None,
            },
            {"src/a.ts": b"a", "logo.png": b""},
        ),
        ({"%2e%2e/x": "1"}, {"%2e%2e/x": b"1"}),
        ({"node_modules/.bin/x": "1", ".git/hooks/post-checkout": "2", ".npmrc": "3"}, None),
        ({"__proto__": "1", "constructor": "2"}, None),
        ({"a": ':{[,"\\u003a\\\\"', "ab:c": ":"}, None),
    ],
)
@pytest.mark.asyncio
async def test_files_arrive_as_they_were_meant(
    api: Api, files: dict[str, Any], expected: dict[str, bytes] | None
) -> None:
    plain = expected or {path: content.encode() for path, content in files.items()}

    job_id = await api.posted(data=data(files))

    assert unpack(api.store.jobs[job_id].job.payload).files == plain


@pytest.mark.parametrize("pair", [("a", "A"), ("a", "a/b"), ("a", "/home/project/a"), ("\u00e9", "e\u0301")])
@pytest.mark.asyncio
async def test_files_that_no_disk_holds_together_are_refused(api: Api, pair: tuple[str, str]) -> None:
    response = await api.post(data=data(dict.fromkeys(pair, "x")))

    assert_problem(response, 422, "invalid_path")
    assert not api.store.jobs


@pytest.mark.asyncio
async def test_unknown_keys_in_data_are_ignored(api: Api) -> None:
    response = await api.post(data=data({"a": "b"}) | {"messages": [{"role": "user"}], "model": None})

    assert response.status_code == 201


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="UTF-8"']
)
@pytest.mark.asyncio
async def test_json_has_several_spellings(api: Api, content_type: str) -> None:
    headers = {"content-type": content_type, "accept": "text/xml"}

    response = await api.client.post("/api/jobs", content=job_with_files({"a": "b"}), headers=headers)

    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"


@pytest.mark.asyncio
async def test_job_is_told_of_in_every_state(api: Api) -> None:
    job_id = await api.posted()

    pending = (await api.client.get(f"/api/jobs/{job_id}")).json()
    claim = await api.claim()
    await api.store.progress(job_id, claim.fence, 40)
    processing = (await api.client.get(f"/api/jobs/{job_id}")).json()
    await api.finish(claim)
    completed = (await api.client.get(f"/api/jobs/{job_id}")).json()

    assert (pending["status"], pending["progress"], pending["runs"], pending["startedAt"]) == ("pending", 0, 0, None)
    assert (processing["status"], processing["progress"], processing["runs"]) == ("processing", 40, 1)
    assert processing["startedAt"] == "2023-11-14T22:13:20.001Z"
    assert processing["result"] is None
    assert completed == processing | {
        "status": "completed",
        "progress": 100,
        "finishedAt": "2023-11-14T22:13:20.002Z",
        "result": {"verdict": "passed", "message": "all well"},
    }
    assert set(completed) >= {"jobId", "type", "createdAt", "cause", "queue", "priority"}


@pytest.mark.asyncio
async def test_poll_of_a_job_that_runs_is_one_call_of_the_store(api: Api) -> None:
    job_id = await api.posted()
    api.store.calls.clear()

    await api.client.get(f"/api/jobs/{job_id}")

    assert api.store.calls == {"read": 1}


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT])
@pytest.mark.asyncio
async def test_job_that_is_over_is_never_told_without_its_result(api: Api, status: JobStatus) -> None:
    job_id = await api.posted()
    await api.finish(await api.claim(), status)
    api.store.jobs[job_id].result = None

    response = await api.client.get(f"/api/jobs/{job_id}")

    assert_problem(response, 404, "not_found")


@pytest.mark.asyncio
async def test_head_answers_where_get_does(api: Api) -> None:
    job_id = await api.posted()

    for path in (f"/api/jobs/{job_id}", "/api/stats", "/api/health", "/api/health/live"):
        assert (await api.client.head(path)).status_code == 200


@pytest.mark.asyncio
async def test_stats_count_each_queue(api: Api) -> None:
    await api.posted()
    await api.posted(type="test")
    await api.claim()

    response = await api.client.get("/api/stats")

    none = dict.fromkeys(["waiting", "active", "completed", "failed", "delayed", "timeout", "cancelled"], 0)
    assert response.json() == {
        "queues": {"builds": none | {"active": 1}, "tests": none | {"waiting": 1}, "lint": none},
        "deliveries": {"waiting": 0, "delivered": 0, "undeliverable": 0},
    }


@pytest.mark.asyncio
async def test_large_project_passes(api: Api) -> None:
    files = {f"src/f{number}.ts": 'const a = "b: {c}, [d]\\n";\n' * 200 for number in range(1_500)}

    response = await api.client.post(
        "/api/jobs", content=job_with_files(files), headers={"content-type": "application/json"}
    )

    assert response.status_code == 201
    assert len(unpack(api.store.jobs[response.json()["jobId"]].job.payload).files) == len(files)


@pytest.mark.parametrize(("size", "on_loop"), [(1_000, True), (64_000, True), (66_000, False)])
@pytest.mark.asyncio
async def test_large_body_is_read_and_packed_off_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch, size: int, on_loop: bool
) -> None:
    threads: list[int] = []
    for module, name in ((job_request, "parse_json"), (project, "read_project_files"), (submissions, "pack")):
        monkeypatch.setattr(module, name, _noting(threads, getattr(module, name)))

    response = await api.post(data=data({"a.txt": "x" * size}))

    assert response.status_code == 201
    assert len(threads) == 3
    assert [thread == threading.get_ident() for thread in threads] == [on_loop] * 3


@pytest.mark.asyncio
async def test_refusal_comes_back_from_the_thread(api: Api) -> None:
    assert_problem(await api.post(b'{"a": "' + b"x" * 100_000), 400, "invalid_json")
    assert_problem(await api.post(data=data({"../a": "x" * 100_000})), 422, "invalid_path")


def _noting(threads: list[int], call: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*args: Any) -> Any:
        threads.append(threading.get_ident())
        return call(*args)

    return noted
