"""Reports and artifacts: regular files of the project, nothing that a link leads to."""

from __future__ import annotations

import hashlib
from typing import Any

import attrs
import pytest

from chef_supervisor.domain.work import ArtifactData, Work
from chef_supervisor.sandboxes.sandbox import Sandbox
from tests.integration.sandboxes.boxes import Heard, run, shell, work

pytestmark = pytest.mark.asyncio

TRAPS = """
mkdir -p dist/real
echo good > dist/real/good.txt
ln -s /etc/passwd dist/passwd
ln -s /proc/self/environ dist/environ
ln -s real dist/folder
ln -s ../../../../etc dist/real/etc
echo twice > dist/one; ln dist/one dist/two
mkfifo dist/pipe
"""


def collecting(script: str, **wanted: Any) -> Work:
    return attrs.evolve(work(shell(script)), **wanted)


def content_of(heard: Heard, path: str) -> bytes:
    return b"".join(event.chunk for event in heard.events if isinstance(event, ArtifactData) and event.path == path)


async def test_reports_come_back_whole(sandbox: Sandbox) -> None:
    script = "mkdir -p .chef/out; printf '\\0\\377' > .chef/out/r.bin; echo '<xml/>' > junit.xml"

    heard = await run(sandbox, collecting(script, reports=("junit.xml", ".chef/out/r.bin", "absent.xml")))

    assert heard.reports == {"junit.xml": b"<xml/>\n", ".chef/out/r.bin": b"\0\xff"}


async def test_a_report_of_a_failed_step_comes_back_too(sandbox: Sandbox) -> None:
    heard = await run(sandbox, collecting("echo 1 > report; exit 1", reports=("report",)))

    assert heard.reports == {"report": b"1\n"}


async def test_a_long_report_is_cut(sandbox: Sandbox) -> None:
    heard = await run(sandbox, collecting("head -c 3000000 /dev/zero > report", reports=("report",), report_bytes=1000))

    assert heard.reports == {"report": bytes(1000)}


async def test_a_report_that_is_a_link_or_a_pipe_is_absent(sandbox: Sandbox) -> None:
    reports = ("dist/passwd", "dist/folder/good.txt", "dist/pipe", "dist/real/etc/passwd", "dist")

    heard = await run(sandbox, collecting(TRAPS, reports=reports))

    assert heard.reports == {}
    assert heard.end.complete


async def test_artifacts_are_regular_files_with_one_name(sandbox: Sandbox) -> None:
    heard = await run(sandbox, collecting(TRAPS, artifact_globs=("dist/**",)))

    assert set(heard.artifacts) == {"dist/real/good.txt"}
    assert heard.artifacts["dist/real/good.txt"].bytes == 5
    assert heard.artifacts["dist/real/good.txt"].sha256 == hashlib.sha256(b"good\n").hexdigest()


async def test_contents_come_whole_byte_for_byte(sandbox: Sandbox) -> None:
    script = "printf 'a\\0\\377' > small; : > empty; head -c 3000001 /dev/zero | tr '\\0' x > large"

    heard = await run(sandbox, collecting(script, artifact_globs=("*",)))

    expected = {"small": b"a\0\377", "empty": b"", "large": b"x" * 3_000_001}
    assert {path: content_of(heard, path) for path in heard.artifacts} == expected
    for path, content in expected.items():
        assert heard.artifacts[path].sha256 == hashlib.sha256(content).hexdigest()


async def test_what_does_not_fit_is_left_out_and_the_rest_comes(sandbox: Sandbox) -> None:
    script = "head -c 900 /dev/zero > a; head -c 900 /dev/zero > b; head -c 100 /dev/zero > c"

    heard = await run(sandbox, collecting(script, artifact_globs=("*",), artifact_bytes=1000))

    assert {path: made.bytes for path, made in heard.artifacts.items()} == {"a": 900, "c": 100}
    assert any(warning.startswith("1 files") for warning in heard.end.warnings)


async def test_globs_choose(sandbox: Sandbox) -> None:
    script = "mkdir -p a/b/c; touch x.js a/x.js a/b/x.js a/b/c/x.ts a/b/y.js; mkdir -p .chef; touch .chef/x.js"

    heard = await run(sandbox, collecting(script, artifact_globs=("**/x.js", "a/*/y.js", "a/b/c/?.ts", "a/**")))

    assert list(heard.artifacts) == ["x.js", "a/x.js", "a/b/x.js", "a/b/y.js", "a/b/c/x.ts"]


async def test_artifacts_are_bounded_and_the_rest_is_told(sandbox: Sandbox) -> None:
    script = "mkdir out; cd out; touch 1 2 3 4 5; touch \"$(printf 'bell\\a')\""

    heard = await run(sandbox, collecting(script, artifact_globs=("out/*",), max_artifacts=3))

    assert len(heard.artifacts) == 3
    assert any(warning.startswith("3 files") for warning in heard.end.warnings)


async def test_two_files_that_are_one_outside_are_one_artifact(sandbox: Sandbox) -> None:
    script = "mkdir dist; cd dist; touch \"$(printf 'caf\\303\\251')\" \"$(printf 'cafe\\314\\201')\""

    heard = await run(sandbox, collecting(script, artifact_globs=("dist/**",)))

    assert heard.end.complete
    assert list(heard.artifacts) == ["dist/caf\u00e9"]
    assert heard.end.warnings == ("1 files that match an artifact pattern were left out",)


async def test_a_sparse_terabyte_is_no_artifact_and_no_delay(sandbox: Sandbox) -> None:
    heard = await run(sandbox, collecting("truncate -s 200M big || true; echo x > small", artifact_globs=("*",)))

    assert "small" in heard.artifacts
    assert heard.end.complete
