"""Our verdict on each project, and what we count in it, are those of its tools run by hand in the same image."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.kit.docker_engine import require_image
from tests.kit.service import Service, started, told
from tests.kit.tool_container import IMAGE
from tests.projects.by_hand import run_by_hand
from tests.projects.row import MARK, Counts, Row
from tests.projects.sample_files import files_of
from tests.projects.table import ROWS

_ROOT: Final = Path(__file__).parents[2]
# The runner image has these built in; a box under bubblewrap finds them where the recipe puts them.
_OF_OUR_TOOLS: Final = frozenset({"pnpm", "yarn", "yarn-berry", "bun"})


def _rows(*, all_of_them: bool) -> list[Any]:
    chosen = [row for row in ROWS if all_of_them or row.bubblewrap]
    return [pytest.param(row, id=row.name, marks=() if row.quick else pytest.mark.slow) for row in chosen]


@pytest.fixture(scope="module")
def on_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Yields: a service whose boxes are containers of the runner image."""
    env = {"CHEF_SANDBOX": "docker", "DOCKER_HOST": require_image(IMAGE)}
    with started(tmp_path_factory.mktemp("docker"), "--embedded-redis", **env) as running:
        yield running


@pytest.fixture(scope="module")
def on_bubblewrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Yields: a service whose boxes are made by bubblewrap."""
    with started(tmp_path_factory.mktemp("bwrap"), "--embedded-redis", CHEF_SANDBOX="bubblewrap") as running:
        yield running


@pytest.mark.docker
@pytest.mark.parametrize("row", _rows(all_of_them=True))
def test_we_say_what_the_tools_say(on_docker: Service, row: Row) -> None:
    files = _files(row)

    job = _run(on_docker, row, files)
    by_hand = run_by_hand(row.by_hand, files)

    assert (by_hand.exit_code == 0) == row.ending.succeeds, by_hand.whole[-4000:]
    assert row.count(by_hand.counted) == row.counts, by_hand.whole[-4000:]
    _assert_as_expected(row, job)


@pytest.mark.parametrize("row", _rows(all_of_them=False))
def test_bubblewrap_says_the_same(on_bubblewrap: Service, row: Row) -> None:
    if row.toolchain in _OF_OUR_TOOLS:
        subprocess.run([_ROOT / "scripts" / "tools"], check=True, capture_output=True)

    job = _run(on_bubblewrap, row, files_of(row.project))

    _assert_as_expected(row, job)


def _files(row: Row) -> dict[str, bytes]:
    files = files_of(row.project)
    if row.lock is not None:
        path, script = row.lock
        made = run_by_hand(f"{script}; echo {MARK}; cat {path}", files)
        assert made.exit_code == 0, made.whole
        files[path] = made.counted.encode()
    return files


def _run(service: Service, row: Row, files: Mapping[str, bytes]) -> dict[str, Any]:
    return service.result_of(
        service.submit(row.type, {path: _entry(text) for path, text in files.items()}, **row.options)
    )


def _entry(content: bytes) -> Any:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"content": base64.b64encode(content).decode(), "encoding": "base64"}


def _assert_as_expected(row: Row, job: dict[str, Any]) -> None:
    result = job["result"]
    assert (job["status"], result["verdict"], job["cause"]) == (
        row.ending.status,
        row.ending.verdict,
        row.ending.cause,
    ), told(job)
    assert result["toolchain"] == row.toolchain, told(job)
    assert _counts_of(result) == row.counts, told(job)


def _counts_of(result: dict[str, Any]) -> Counts:
    tests = result["tests"] or {"passed": 0, "failed": 0, "skipped": 0}
    # A failed test is a finding as well; it was counted once.
    found = [] if result["tests"] else [one["severity"] for one in result["diagnostics"]]
    return Counts(
        passed=tests["passed"],
        failed=tests["failed"],
        skipped=tests["skipped"],
        errors=found.count("error"),
        warnings=found.count("warning"),
    )
