"""`submit` as a process of its own, on the real service: every exit code, archives, artifacts, and an interrupt."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.kit.service import Service, started

_TIMEOUT_S: Final = 120.0
_ROOT: Final = Path(__file__).parents[2]
BUILDS: Final = {"build": "mkdir -p dist && echo built | tee dist/index.html"}
FAILS: Final = {"build": "echo not today; exit 3"}
HANGS: Final = {"build": "echo begun; sleep 300"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with started(tmp_path_factory.mktemp("state"), "--embedded-redis", CHEF_SANDBOX="bubblewrap") as running:
        yield running


def a_project(folder: Path, scripts: Mapping[str, str]) -> str:
    """Returns: the path of a project that needs nothing installed."""
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps({"name": "sample", "private": True, "scripts": scripts}))
    return str(folder)


def command(*argv: str, url: str) -> tuple[list[str], dict[str, str]]:
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return [sys.executable, "-m", "chef_supervisor", "submit", *argv], env | {"CHEF_URL": url}


def submit(*argv: str, url: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    words, env = command(*argv, url=url)
    return subprocess.run(words, env=env, cwd=_ROOT, input=given, capture_output=True, timeout=_TIMEOUT_S, check=False)


def told(ended: subprocess.CompletedProcess[bytes]) -> str:
    return (ended.stdout + ended.stderr).decode()


def test_a_project_that_builds_is_fine_and_its_artifacts_are_saved(service: Service, tmp_path: Path) -> None:
    project, out = a_project(tmp_path / "project", BUILDS), tmp_path / "out"

    ended = submit(project, "--type", "build", "--artifacts", str(out), "--logs", url=service.url)

    assert ended.returncode == 0, told(ended)
    assert b"completed" in ended.stdout
    assert b"build | built" in ended.stderr
    assert (out / "dist" / "index.html").read_text() == "built\n"


def test_a_project_without_tests_is_skipped_and_fine(service: Service, tmp_path: Path) -> None:
    ended = submit(a_project(tmp_path / "project", BUILDS), "--type", "build,test", "--json", url=service.url)

    assert ended.returncode == 0, told(ended)
    assert [job["result"]["verdict"] for job in json.loads(ended.stdout)] == ["passed", "skipped"]


def test_what_was_found_stands_also_where_nobody_reads_on(service: Service, tmp_path: Path) -> None:
    words, env = command(a_project(tmp_path / "project", BUILDS), "--type", "build", url=service.url)
    reading, writing = os.pipe()
    os.close(reading)

    ended = subprocess.run(
        words, check=False, env=env, cwd=_ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=_TIMEOUT_S
    )
    os.close(writing)

    assert ended.returncode == 0, ended.stderr


def test_a_project_that_fails_is_a_failure(service: Service, tmp_path: Path) -> None:
    ended = submit(a_project(tmp_path / "project", FAILS), "--type", "build", url=service.url)

    assert ended.returncode == 1, told(ended)
    assert b"not today" in ended.stdout


def test_the_same_work_is_done_once(service: Service, tmp_path: Path) -> None:
    project = a_project(tmp_path / "project", BUILDS | {"name": "once"})
    words = (project, "--type", "build", "--cache", "--json")

    first, again, other = (
        json.loads(submit(*argv, url=service.url).stdout)[0]
        for argv in (words, (*words, "--artifacts", str(tmp_path / "out")), (*words, "--chat-id", "other"))
    )

    assert again["result"] == first["result"] | {
        "cachedFrom": first["jobId"],
        "warnings": [f"Nothing was run: job {first['jobId']} did the same work before, and this is its result."],
    }
    assert (tmp_path / "out" / "dist" / "index.html").read_text() == "built\n"
    assert other["result"]["cachedFrom"] is None


def test_an_archive_is_built_too(service: Service, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(a_project(tmp_path / "project", BUILDS), ".")

    ended = submit("-", "--type", "build", url=service.url, given=packed.getvalue())

    assert ended.returncode == 0, told(ended)


def test_what_the_service_refuses_is_told(service: Service, tmp_path: Path) -> None:
    ended = submit(a_project(tmp_path / "project", BUILDS), "--type", "build", "--toolchain", "none", url=service.url)

    assert ended.returncode == 2, told(ended)
    assert b"422 invalid_toolchain" in ended.stderr


def test_a_project_that_is_too_large_names_its_largest_files(service: Service, tmp_path: Path) -> None:
    project = a_project(tmp_path / "project", BUILDS)
    for name in ("a.bin", "b.bin", "c.bin", "d.bin"):
        (Path(project) / name).write_bytes(os.urandom(5 << 20))

    ended = submit(project, "--type", "build", url=service.url)

    assert ended.returncode == 2, told(ended)
    assert b"413 payload_too_large" in ended.stderr
    assert b"a.bin (5,242,880 bytes)" in ended.stderr


def test_a_service_that_is_not_there_cannot_say(tmp_path: Path) -> None:
    project = a_project(tmp_path / "project", BUILDS)

    ended = submit(project, "--type", "build", "--patience", "1", url="http://127.0.0.1:9")

    assert ended.returncode == 3, told(ended)
    assert b"nobody answers at http://127.0.0.1:9" in ended.stderr


def test_an_interrupt_leaves_the_job_running_and_tells_its_id(service: Service, tmp_path: Path) -> None:
    words, env = command(a_project(tmp_path / "project", HANGS), "--type", "build", url=service.url)
    # Tests that run in the background of a shell are deaf to this signal, and so would be what they start.
    words = ["env", "--default-signal=INT", *words]

    with subprocess.Popen(words, env=env, cwd=_ROOT, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if b"processing" in line:
                process.send_signal(signal.SIGINT)
                break
        last = process.stderr.read().decode()

    assert process.returncode == 3, last
    job_id = last.rsplit("/", 1)[1].strip()
    with service.client() as client:
        assert client.get(f"/api/jobs/{job_id}").json()["status"] == "processing"
        client.delete(f"/api/jobs/{job_id}")
