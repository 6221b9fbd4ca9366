"""`submit` where something is wrong: what it says, and the exit codes 2 and 3."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from chef_supervisor.cli import chef_supervisor, submission
from tests.kit.fake_service import problem
from tests.unit.cli.cli_kit import BROKEN, PASSED, end, id_of, make_house


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--type", "build,deploy"), "'deploy' is none of build, test, lint, analyze"),
        ((), "Missing option '--type'"),
        (("--type", "test", "--env", "NAME"), "'NAME' has no =VALUE"),
        (("--type", "test", "--env", "1A=s3cret"), "give NAME=VALUE"),
        (("--type", "test", "--env-public", "NAME"), "give NAME=VALUE"),
        (("--type", "test", "--timeout", "0"), "0.0 is not in the range"),
        (("--type", "test", "--no-wait", "--logs"), "--no-wait leaves before"),
        (("--type", "test", "--no-wait", "--artifacts", "out"), "--no-wait leaves before"),
        (("--type", "test", "--url", "service:3001"), "is no address of a service"),
    ],
)
def test_wrong_usage_says_what_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.delenv("NAME", raising=False)
    house = make_house(tmp_path, monkeypatch)

    told = house.submit(*words)

    assert told.exit_code == 2
    assert said in told.stderr
    assert "s3cret" not in told.output
    assert house.service.heard == []


@pytest.mark.parametrize(("name", "said"), [("missing", "does not exist"), ("a.py", "neither a folder nor an archive")])
def test_what_is_no_project_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    house = make_house(tmp_path, monkeypatch)

    told = house.submit("--type", "test", path=str(tmp_path / name))

    assert told.exit_code == 2
    assert said in told.stderr


def test_a_refusal_tells_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch)
    house.service.rules["POST", "/api/jobs"] = lambda _: problem(422, "invalid_toolchain", "must be one of npm, pip")

    told = house.submit("--type", "test,lint", "--toolchain", "cargo")

    assert told.exit_code == 2
    assert "test: the service refused this (422 invalid_toolchain): must be one of npm, pip" in told.stderr
    assert len(house.service.heard) == 1


@pytest.mark.parametrize("code", ["payload_too_large", "file_too_large", "too_many_files"])
def test_too_much_for_the_service_names_the_largest_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    house = make_house(tmp_path, monkeypatch)
    (tmp_path / "film.mp4").write_bytes(b"x" * 2000)
    house.service.rules["POST", "/api/jobs"] = lambda _: problem(413, code)

    told = house.submit("--type", "test")

    assert told.exit_code == 2
    assert "Of 2 files, the largest are film.mp4 (2,000 bytes), a.py (6 bytes)." in told.stderr


def test_a_refusal_after_a_job_was_queued_tells_that_jobs_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch, build=end("build", "completed", PASSED))
    queued = house.queue

    def queue_one(request: httpx.Request) -> httpx.Response:
        house.service.rules["POST", "/api/jobs"] = lambda _: problem(429, "queue_full")
        return queued(request)

    house.service.rules["POST", "/api/jobs"] = queue_one

    told = house.submit("--type", "build,test")

    assert told.exit_code == 2
    assert id_of("build") in told.stdout


@pytest.mark.parametrize(
    "answer", [problem(503, "store_unavailable"), problem(500, "internal_error"), httpx.Response(200, text="<html>")]
)
def test_a_service_that_cannot_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response
) -> None:
    house = make_house(tmp_path, monkeypatch)
    house.service.rules["POST", "/api/jobs"] = lambda _: answer

    assert house.submit("--type", "test").exit_code == 3


def test_nobody_there_is_unknown_and_says_where_it_asked(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    words = ["submit", str(tmp_path), "--type", "test", "--patience", "0"]

    told = CliRunner().invoke(chef_supervisor, words, env={"PORT": "9", "CHEF_URL": None})

    assert told.exit_code == 3
    assert "nobody answers at http://127.0.0.1:9" in told.stderr


def test_a_job_that_is_lost_sight_of_is_unknown_whatever_the_others_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(tmp_path, monkeypatch, build=end("build", "failed", BROKEN))
    house.service.answers = [problem(404, "not_found", "no job")]
    queued = house.queue

    def forget_the_test(request: httpx.Request) -> httpx.Response:
        answer = queued(request)
        house.service.rules.pop(("GET", f"/api/jobs/{id_of('test')}"), None)
        return answer

    house.service.rules["POST", "/api/jobs"] = forget_the_test

    told = house.submit("--type", "build,test")

    assert told.exit_code == 3
    assert f"test {id_of('test')}: the service refused this (404 not_found)" in told.stderr
    assert "src/a.ts:3:7" in told.stdout


def test_a_wait_that_is_too_long_is_unknown_and_tells_how_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(tmp_path, monkeypatch, test={**end("test", "processing"), "finishedAt": None})

    told = house.submit("--type", "test", "--max-wait", "0.01")

    assert told.exit_code == 3
    assert id_of("test") in told.stdout
    assert "can be waited for again" in told.stderr


def test_an_interrupt_tells_what_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch)

    async def interrupted(self: submission.Submission, client: object) -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(submission.Submission, "_wait", interrupted)
    told = house.submit("--type", "test")

    assert told.exit_code == 3
    assert f"http://service/api/jobs/{id_of('test')}" in told.stderr
