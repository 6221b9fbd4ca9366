"""`baseJobId`, `changedFiles`, `deletedPaths`: what is sent is what changed; what is stored is whole."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobId, JobStatus, Tenant
from chef_supervisor.domain.payload import unpack
from tests.kit.archives import tar
from tests.unit.api.api_kit import Api, assert_problem, data

FILES = {"package.json": "{}", "src/a.ts": "a", "src/b.ts": "b"}
ARCHIVE = tar({name: content.encode() for name, content in FILES.items()})
PNG = {"type": "file", "content": "", "isBinary": True}


def on(base: str, changed: Any = None, deleted: Any = None, chat_id: str = "chat1", **more: Any) -> dict[str, Any]:
    """Returns: `data` of a job that is based on another one."""
    changes = {"changedFiles": changed, "deletedPaths": deleted}
    given = {name: value for name, value in changes.items() if value is not None}
    return {"chatId": chat_id, "baseJobId": base} | given | more


def asked(api: Api, job_id: str) -> Assignment:
    return unpack(api.store.jobs[JobId(job_id)].job.payload)


async def archived(api: Api) -> JobId:
    """Returns: a job that came as an archive."""
    job = orjson.dumps({"type": "build", "data": {"chatId": "chat1"}})
    response = await api.client.post("/api/jobs", files={"job": (None, job), "archive": ("a", ARCHIVE)})
    return JobId(response.json()["jobId"])


@pytest.mark.asyncio
async def test_only_what_changed_is_sent_and_all_is_stored(api: Api) -> None:
    base = await api.posted(data=data(FILES))

    job_id = await api.posted(type="test", data=on(base, {"src/a.ts": "new", "c": "c"}, ["src/b.ts"]))

    assert asked(api, job_id) == Assignment(files={"package.json": b"{}", "src/a.ts": b"new", "c": b"c"})


@pytest.mark.asyncio
async def test_same_files_need_not_be_sent_again(api: Api) -> None:
    base = await api.posted(data=data(FILES))

    job_id = await api.posted(type="lint", data=on(base))

    assert asked(api, job_id).files == asked(api, base).files


@pytest.mark.asyncio
async def test_base_may_have_a_base_that_is_gone(api: Api) -> None:
    first = await api.posted(data=data(FILES))
    second = await api.posted(data=on(first, {"c": "c"}))
    del api.store.jobs[first]

    third = await api.posted(data=on(second, deleted=["src/a.ts"]))

    assert set(asked(api, third).files) == {"package.json", "src/b.ts", "c"}


@pytest.mark.parametrize("status", [None, *(status for status in JobStatus if status.terminal)])
@pytest.mark.asyncio
async def test_base_may_be_in_any_state(api: Api, status: JobStatus | None) -> None:
    base = await api.posted(data=data(FILES))
    if status is JobStatus.CANCELLED:
        await api.store.cancel(base)
    elif status is not None:
        await api.finish(await api.claim(), status)

    assert asked(api, await api.posted(data=on(base, {"c": "c"}))).files["c"] == b"c"


@pytest.mark.asyncio
async def test_files_alone_come_from_the_base(api: Api) -> None:
    wishes = {"toolchain": "npm", "env": {"TOKEN": "s3cret"}, "steps": [{"name": "s", "run": "true"}]}
    base = await api.posted(cache=True, priority="high", data=data(FILES) | wishes)

    job_id = await api.posted(data=on(base, toolchain="pip"))

    assert asked(api, job_id) == Assignment(files=asked(api, base).files, toolchain="pip")
    assert api.store.jobs[job_id].job.priority == 5


@pytest.mark.asyncio
async def test_changes_to_an_archive_are_laid_over_it(api: Api) -> None:
    first = await archived(api)

    second = await api.posted(data=on(first, {"src/a.ts": "new", "c": "c"}, ["src/b.ts"]))
    third = await api.posted(data=on(second, {"src/b.ts": "back"}, ["c", "package.json"]))
    other = await api.posted(data=on(second, deleted=["src/a.ts"]))

    assert asked(api, second).archive == ARCHIVE
    assert asked(api, second).deleted == ("src/b.ts",)
    assert asked(api, other) == Assignment(archive=ARCHIVE, files={"c": b"c"}, deleted=("src/a.ts", "src/b.ts"))
    assert asked(api, third) == Assignment(
        archive=ARCHIVE, files={"src/a.ts": b"new", "src/b.ts": b"back"}, deleted=("c", "package.json")
    )


@pytest.mark.asyncio
async def test_what_was_deleted_from_an_archive_cannot_be_deleted_again(api: Api) -> None:
    second = await api.posted(data=on(await archived(api), deleted=["src/b.ts"]))

    response = await api.post(data=on(second, deleted=["src/b.ts"]))

    assert_problem(response, 422, "invalid_deleted_paths")


@pytest.mark.asyncio
async def test_binary_file_that_the_editor_did_not_load_is_kept(api: Api) -> None:
    base = await api.posted(data=data({"logo.png": {"content": "iVBO", "encoding": "base64"}}))

    job_id = await api.posted(data=on(base, {"/home/project/logo.png": PNG, "/home/project/new.png": PNG}))

    assert asked(api, job_id).files == {"logo.png": b"\x89PN", "new.png": b""}


@pytest.mark.asyncio
async def test_file_that_was_deleted_in_the_editor_is_deleted(api: Api) -> None:
    base = await api.posted(data=data(FILES))

    job_id = await api.posted(data=on(base, {"/home/project/src/a.ts": None, "/home/project/never/was.ts": None}))

    assert set(asked(api, job_id).files) == {"package.json", "src/b.ts"}


async def _refused(api: Api, base: str, code: str, status: int = 422, **changes: Any) -> dict[str, Any]:
    before = len(api.store.jobs)
    problem = assert_problem(await api.post(data=on(base, **changes)), status, code)
    assert len(api.store.jobs) == before
    return problem


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"deleted": ["gone.ts"]}, "invalid_deleted_paths", 'data.deletedPaths["gone.ts"]'),
        ({"deleted": ["src"]}, "invalid_deleted_paths", 'data.deletedPaths["src"]'),
        (
            {"deleted": ["src/a.ts"], "changed": {"src/a.ts": ""}},
            "invalid_deleted_paths",
            'data.deletedPaths["src/a.ts"]',
        ),
        ({"deleted": "src/a.ts"}, "invalid_deleted_paths", "data.deletedPaths"),
        ({"deleted": [1]}, "invalid_deleted_paths", "data.deletedPaths"),
        ({"deleted": ["x"] * 4001}, "invalid_deleted_paths", "data.deletedPaths"),
        ({"deleted": ["../x"]}, "invalid_path", 'data.deletedPaths["../x"]'),
        ({"deleted": list(FILES)}, "no_files", "data.deletedPaths"),
        ({"changed": {"../x": ""}}, "invalid_path", 'data.changedFiles["../x"]'),
        ({"changed": {"x": 5}}, "invalid_file_content", 'data.changedFiles["x"]'),
        ({"changed": []}, "invalid_project_files", "data.changedFiles"),
        ({"changed": {"SRC/A.ts": ""}}, "invalid_path", "data.changedFiles"),
        ({"changed": {"src": ""}}, "invalid_path", "data.changedFiles"),
        ({"changed": {"src/a.ts/x": ""}}, "invalid_path", "data.changedFiles"),
        ({"changed": {f"f{number}": "" for number in range(1998)}}, "too_many_files", "data.changedFiles"),
        ({"projectFiles": {"a": ""}}, "conflicting_files", "data.projectFiles"),
    ],
)
@pytest.mark.asyncio
async def test_changes_that_cannot_be_are_refused(api: Api, changes: dict[str, Any], code: str, path: str) -> None:
    base = await api.posted(data=data(FILES))

    assert (await _refused(api, base, code, **changes))["path"] == path


@pytest.mark.asyncio
async def test_limits_hold_for_the_whole(api: Api) -> None:
    base = await api.posted(data=data({f"f{number}": "x" * 5_000_000 for number in range(2)}))

    problem = await _refused(api, base, "payload_too_large", 413, changed={"one": "x" * 500_000})

    assert problem["path"] == "data.changedFiles"


@pytest.mark.asyncio
async def test_file_may_be_replaced_by_a_folder_of_its_name(api: Api) -> None:
    base = await api.posted(data=data(FILES))

    job_id = await api.posted(data=on(base, {"src/a.ts/x": "x"}, ["src/a.ts"]))

    assert set(asked(api, job_id).files) == {"package.json", "src/b.ts", "src/a.ts/x"}


@pytest.mark.parametrize("base", [None, 5, "", []])
@pytest.mark.asyncio
async def test_base_that_is_no_id_is_refused(api: Api, base: Any) -> None:
    assert_problem(await api.post(data=on(base)), 422, "invalid_base_job")


@pytest.mark.parametrize("field", ["changedFiles", "deletedPaths"])
@pytest.mark.asyncio
async def test_changes_without_a_base_are_refused(api: Api, field: str) -> None:
    problem = assert_problem(await api.post(data=data(FILES) | {field: []}), 422, "conflicting_files")

    assert problem["path"] == f"data.{field}"


@pytest.mark.asyncio
async def test_base_of_somebody_else_is_like_one_that_never_was(api: Api) -> None:
    theirs = await api.posted(data=data(FILES, "chat2"))
    gone = JobId("builds.0_" + "a" * 26)
    api.store.forgotten.add((gone, Tenant("chat2")))

    answers = [await api.post(data=on(base)) for base in (theirs, gone, "builds.0_" + "b" * 26, "none")]

    details = {assert_problem(answer, 404, "not_found")["detail"].split("'")[2] for answer in answers}
    assert len(details) == 1


@pytest.mark.asyncio
async def test_base_past_its_retention_asks_for_all_files(api: Api) -> None:
    gone = JobId("builds.0_" + "a" * 26)
    api.store.forgotten.add((gone, Tenant("chat1")))

    problem = assert_problem(await api.post(data=on(gone)), 409, "base_expired")

    assert "send all files" in problem["detail"]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.asyncio
async def test_request_that_comes_again_is_answered_though_its_base_has_gone(api: Api, known: bool) -> None:
    base = JobId(await api.posted(data=data(FILES)))
    first = await api.post(key="k", data=on(base, {"c": "c"}))
    del api.store.jobs[base]
    if known:
        api.store.forgotten.add((base, Tenant("chat1")))

    again = await api.post(key="k", data=on(base, {"c": "c"}))

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert_problem(await api.post(key="k", data=on(base, {"c": "d"})), 422, "idempotency_mismatch")
    assert_problem(
        await api.post(key="new", data=on(base)), 409 if known else 404, "base_expired" if known else "not_found"
    )
    assert len(api.store.jobs) == 1


@pytest.mark.asyncio
async def test_what_is_deleted_of_an_archive_does_not_grow_without_bound(api: Api) -> None:
    base = await archived(api)
    for number in range(2):
        base = JobId(await api.posted(data=on(base, deleted=[f"{number}/{file}" for file in range(2000)])))

    await _refused(api, base, "invalid_deleted_paths", deleted=["one more"])
    await _refused(api, base, "invalid_deleted_paths", changed={"/home/project/one more": None})
    assert len(asked(api, await api.posted(data=on(base, {"0/7": "back"}, ["one more"]))).deleted) == 4000


@pytest.mark.asyncio
async def test_key_stands_for_what_was_sent_and_not_for_what_it_became(api: Api) -> None:
    base = await api.posted(data=data(FILES))
    body = on(base, {"c": "c"})

    first, again = [await api.post(key="k", data=body) for _ in range(2)]
    other: httpx.Response = await api.post(key="k", data=on(base, {"c": "d"}))

    assert first.json() == again.json()
    assert_problem(other, 422, "idempotency_mismatch")
