"""`submit`: what it sends, and what it prints where."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from chef_supervisor.cli.watching import Lines
from tests.kit.fake_service import found, problem
from tests.unit.cli.cli_kit import BROKEN, PASSED, PROJECT, end, id_of, make_house

RED = found(
    "failed",
    "exit",
    tests={"passed": 1, "failed": 1, "skipped": 0, "cases": [
        {"name": "adds", "file": "a.test.ts", "status": "failed", "ms": 1, "message": "\n1 != 2\nat x"},
        {"name": "takes", "file": "a.test.ts", "status": "passed", "ms": 1, "message": ""},
    ]},
)  # fmt: skip


def test_all_that_passed_or_had_nothing_to_do_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skipped = end("test", "completed", found("skipped", "no_tests"))
    house = make_house(tmp_path, monkeypatch, build=end("build", "completed", PASSED), test=skipped)

    told = house.submit("--type", "build,test")

    assert told.exit_code == 0, told.output
    rows = [line.split() for line in told.stdout.splitlines()]
    assert rows[0] == ["type", "status", "verdict", "took", "job"]
    assert rows[1][:3] == ["build", "completed", "passed"]
    assert rows[1][3:5] == ["1.5", "s"]
    assert rows[1][-1] == id_of("build")
    assert rows[2][:3] == ["test", "completed", "skipped"]
    assert told.stdout.splitlines()[3:] == ["build: It passed.", "test: It skipped."]


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("failed", BROKEN),
        ("timeout", found("failed", "timeout")),
        ("cancelled", found("skipped", "cancelled")),
        ("completed", found("failed", "exit")),
    ],
)
def test_one_that_did_not_pass_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, result: dict[str, Any]
) -> None:
    house = make_house(tmp_path, monkeypatch, build=end("build", "completed", PASSED), lint=end("lint", status, result))

    assert house.submit("--type", "build,lint").exit_code == 1


def test_what_is_wrong_is_told_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch, build=end("build", "failed", BROKEN), test=end("test", "failed", RED))

    told = house.submit("--type", "build,test").stdout.splitlines()

    assert told[3:] == [
        "build: It failed.",
        "src/a.ts:3:7 error: no [tsc TS2322]",
        "b.css warning: hm [stylelint]",
        "test: It failed.",
        "a.test.ts > adds: 1 != 2",
    ]


def test_a_failure_without_findings_tells_its_summary_and_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = found("failed", "install_failed", summary="failed: no\n  npm ERR!\n", warnings=["node is old"])
    house = make_house(tmp_path, monkeypatch, build=end("build", "failed", result))

    told = house.submit("--type", "build").stdout.splitlines()

    assert told[2:] == ["build: It failed.", "build: note: node is old", "failed: no", "  npm ERR!"]


def test_text_of_a_project_cannot_steer_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\r\x08\x9b1m[bold]x[/bold]"
    result = found(
        "failed",
        "exit",
        message=hostile,
        warnings=[hostile],
        summary=hostile,
        diagnostics=[{"file": hostile, "line": 1, "message": hostile, "severity": "error", "tool": hostile}],
        tests={"cases": [{"name": hostile, "file": hostile, "status": "failed", "message": hostile}]},
    )
    house = make_house(tmp_path, monkeypatch, build=end("build", "failed", result))

    told = house.submit("--type", "build").output

    assert not [letter for letter in told if letter != "\n" and not letter.isprintable()]
    assert "red1m[bold]x[/bold]:1 error: red1m[bold]x[/bold]" in told


def test_json_is_all_that_stands_on_the_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = end("build", "failed", BROKEN, ofTomorrow=[1])
    house = make_house(tmp_path, monkeypatch, build=over)
    (tmp_path / "link").symlink_to("/etc/hostname")

    told = house.submit("--type", "build", "--json")

    assert json.loads(told.stdout) == [over]
    assert "note: link is a link" in told.stderr
    assert f"build {id_of('build')}: failed" in told.stderr


def test_results_are_told_when_the_bars_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def told_of() -> Iterator[Lines]:
        yield Lines()
        click.echo("the bars are gone")

    monkeypatch.setattr(importlib.import_module("chef_supervisor.cli.submit"), "open_watch", told_of)
    house = make_house(tmp_path, monkeypatch, build=end("build", "completed", PASSED))

    assert house.submit("--type", "build").stdout.startswith("the bars are gone\ntype")


def test_without_waiting_the_ids_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch)

    told = house.submit("--type", "build,test", "--no-wait")

    assert told.exit_code == 0
    assert told.stdout.splitlines() == [f"build {id_of('build')}", f"test {id_of('test')}"]
    assert {request.method for request in house.service.heard} == {"POST"}


def test_every_option_reaches_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch)
    words = (
        "--type test --no-wait --chat-id me --priority 7 --timeout 90 --toolchain npm --cache --env A=b=c --env TOKEN"
        " --env-public MODE=ci --callback-url https://hooks.example.com/told?of=me --no-progress-events"
    )

    house.submit(*words.split(), TOKEN="s3cret")

    [body] = house.service.bodies()
    assert body == {
        "type": "test",
        "priority": 7,
        "timeoutMs": 90_000,
        "cache": True,
        "callbackUrl": "https://hooks.example.com/told?of=me",
        "progress": False,
        "data": {
            "chatId": "me",
            "toolchain": "npm",
            "env": {"A": "b=c", "TOKEN": "s3cret", "MODE": {"value": "ci", "steps": True}},
            "projectFiles": PROJECT,
        },
    }


@pytest.mark.parametrize("given", ["file", "stdin"])
def test_an_archive_is_sent_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    house = make_house(folder, monkeypatch)
    archive = tmp_path / "project.tar.gz"
    archive.write_bytes(b"\x1f\x8bwhatever")

    path, piped = ("-", archive.read_bytes()) if given == "stdin" else (str(archive), b"")
    told = house.submit("--type", "test", "--no-wait", path=path, given=piped)

    assert told.exit_code == 0, told.output
    assert b"\x1f\x8bwhatever" in house.service.heard[0].content


def test_artifacts_are_saved_where_it_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, out = tmp_path / "project", tmp_path / "out"
    project.mkdir()
    house = make_house(
        project, monkeypatch, build=end("build", "completed", PASSED), test=end("test", "completed", PASSED)
    )
    made = {"artifacts": [{"path": "dist/a.js", "bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}]}
    for job_type in ("build", "test"):
        place = f"/api/jobs/{id_of(job_type)}/artifacts"
        house.service.rules["GET", place] = lambda _: httpx.Response(200, json=made)
        house.service.rules["GET", f"{place}/dist/a.js"] = lambda _: httpx.Response(200, content=b"x")

    alone = house.submit("--type", "build", "--artifacts", str(out / "alone"))
    both = house.submit("--type", "build,test", "--artifacts", str(out / "both"))

    assert (alone.exit_code, both.exit_code) == (0, 0), alone.output + both.output
    saved = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert saved == {"alone/dist/a.js", "both/build/dist/a.js", "both/test/dist/a.js"}


def test_the_log_is_told_beside_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch, test=end("test", "completed", PASSED))
    stream = (
        b'id: 1\nevent: output\ndata: {"step":"test","text":"one\\n\\u001b[31mtwo"}\n\n'
        b'event: gap\ndata: {}\n\nevent: end\ndata: {"status":"completed"}\n\n'
    )
    house.service.rules["GET", f"/api/jobs/{id_of('test')}/logs"] = lambda _: httpx.Response(200, content=stream)

    told = house.submit("--type", "test", "--logs")

    assert told.exit_code == 0, told.output
    assert [line for line in told.stderr.splitlines() if line.startswith("test |")] == [
        "test | one",
        "test | two",
        "test | (some is left out)",
    ]


def test_a_log_that_cannot_be_followed_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch, test=end("test", "completed", PASSED))
    house.service.answers = [problem(404, "not_found")]

    told = house.submit("--type", "test", "--logs")

    assert told.exit_code == 0
    assert "its output cannot be followed" in told.stderr
