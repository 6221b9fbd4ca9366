"""Files come in as an archive, and after that only what changed, on the real service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.kit import archives
from tests.kit.archives import entry, tar, zipped
from tests.kit.service import Service, started, told

FILES = {"top/a.txt": b"from the archive", "top/src/b.txt": b"b", "top/node_modules/x/index.js": b"junk"}
SHOW = [
    {
        "name": "show",
        "run": 'for f in $(find . -name "*.txt" | sort); do echo "$f: $(cat $f)"; done; echo "$SEEN-$SECRET"',
    }
]
KEPT_JOBS = 6


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    env = {"CHEF_SANDBOX": "bubblewrap", "CHEF_RETENTION_MAX_JOBS": str(KEPT_JOBS)}
    with started(tmp_path_factory.mktemp("state"), "--embedded-redis", **env) as running:
        yield running


def body(chat_id: str = "tests", **data: Any) -> dict[str, Any]:
    return {"type": "build", "data": {"chatId": chat_id, "toolchain": "plain", "steps": SHOW} | data}


def post(service: Service, archive: bytes | None = None, **data: Any) -> httpx.Response:
    with service.client() as client:
        if archive is None:
            return client.post("/api/jobs", json=body(**data))
        files: dict[str, Any] = {"job": (None, json.dumps(body(**data))), "archive": ("project", archive)}
        return client.post("/api/jobs", files=files)


def run(service: Service, archive: bytes | None = None, **data: Any) -> dict[str, Any]:
    """Returns: the job once it is over."""
    response = post(service, archive, **data)
    assert response.status_code == httpx.codes.CREATED, response.text
    return service.result_of(response.json()["jobId"])


def shown(job: dict[str, Any]) -> list[str]:
    """Returns: what the step printed."""
    assert job["status"] == "completed", told(job)
    lines: list[str] = job["result"]["output"]["head"].splitlines()
    return [line for line in lines if not line.startswith("$ ")]


@pytest.mark.parametrize("pack", [tar, zipped])
def test_an_archive_is_worked_on_like_files_and_changes_are_laid_over_it(service: Service, pack: Any) -> None:
    first = run(service, pack(FILES))
    second = run(service, baseJobId=first["jobId"], changedFiles={"c.txt": "c"}, deletedPaths=["src/b.txt"])
    third = run(service, baseJobId=second["jobId"], changedFiles={"a.txt": "new"})

    assert shown(first) == ["./a.txt: from the archive", "./src/b.txt: b", "-"]
    assert first["result"]["warnings"] == ["1 file of the archive left out: node_modules is no part of a project"]
    assert shown(second) == ["./a.txt: from the archive", "./c.txt: c", "-"]
    assert shown(third) == ["./a.txt: new", "./c.txt: c", "-"]


def test_a_bad_archive_says_what_to_do(service: Service) -> None:
    job = run(service, tar({"a": b"a"}, entry("pipe", type=archives.FIFO)))

    assert (job["status"], job["cause"], job["result"]["verdict"]) == ("failed", "bad_archive", "failed")
    sentence = "The archive cannot be used: 'pipe' is no file, folder or link, but a device or pipe; leave it out."
    assert job["result"]["message"] == sentence


def test_a_retry_is_of_the_same_archive_and_wishes(service: Service) -> None:
    failing = [{"name": "show", "run": "cat a.txt; exit 3"}]
    first = run(service, tar(FILES), steps=failing)

    with service.client() as client:
        again = client.post(f"/api/jobs/{first['jobId']}/retry").raise_for_status().json()
    second = service.result_of(again["jobId"])

    assert [job["status"] for job in (first, second)] == ["failed", "failed"]
    assert "from the archive" in second["result"]["output"]["head"]


def test_steps_see_what_is_no_secret_and_nothing_else(service: Service) -> None:
    env = {"SECRET": "s3cret-7f", "SEEN": {"value": "seen", "steps": True}}

    job = run(service, projectFiles={"a": "a"}, env=env)

    assert shown(job) == ["seen-"]
    assert "s3cret-7f" not in json.dumps([job, service.records])


def test_files_past_their_retention_are_asked_for_anew(service: Service) -> None:
    base = run(service, projectFiles={"a.txt": "a"})["jobId"]
    for _ in range(KEPT_JOBS):
        run(service, projectFiles={"a.txt": "a"})

    expired = post(service, baseJobId=base)
    other = post(service, chat_id="others", baseJobId=base)

    assert (expired.status_code, expired.json()["code"]) == (409, "base_expired")
    assert (other.status_code, other.json()["code"]) == (404, "not_found")
