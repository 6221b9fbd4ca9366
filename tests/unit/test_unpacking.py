"""An archive becomes the files of a project: what its box says is taken, doubted, or is the end of the job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from typing import Any, Final

import orjson
import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Artifact, Cause, Outcome, Result, Verdict
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    EndedBy,
    ReportFile,
    StepEnded,
    StepStarted,
    Work,
)
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import FileLimits
from chef_supervisor.unpacking import Whole, whole
from tests.kit.fake_sandbox import FakeSandbox, Play, killed
from tests.kit.virtual_time import run

LIMITS: Final = FileLimits(max_files=3, max_file_bytes=10, max_total_bytes=20)
ORDER: Final = BoxOrder(
    name="chef-unpack-x", role=Role.JOB, limits=Limits(memory_bytes=1, cpus=1, pids=1, workspace_bytes=1)
)
ARCHIVE: Final = b"\x1f\x8b..."
PACKED: Final = {"package.json": b"{}", "src/a.ts": b"a"}


def saying(
    packed: Mapping[str, bytes], /, ended_by: EndedBy = EndedBy.EXIT, report: bytes | None = None, **said: Any
) -> Play:
    """Returns: what a box does that hands back these files, in pieces of one byte, and says so."""
    told = {"fault": None, "files": len(packed), "warnings": []} | said

    async def play(work: Work) -> AsyncIterator[BoxEvent]:
        yield StepStarted(0)
        yield StepEnded(index=0, exit_code=0 if ended_by is EndedBy.EXIT else None, ended_by=ended_by, ms=1)
        yield ReportFile(work.reports[0], orjson.dumps(told) if report is None else report)
        for path, content in packed.items():
            for byte in content[:-1]:
                yield ArtifactData(path=path, chunk=bytes([byte]))
            artifact = Artifact(path=path, bytes=len(content), sha256=sha256(content).hexdigest())
            yield ArtifactData(path=path, chunk=content[-1:], whole=artifact)
        yield BoxEnded(complete=True, ended_by=EndedBy.EXIT)

    return play


def unpacked(play: Play, limits: FileLimits = LIMITS, **asked: Any) -> Whole | Outcome:
    sandbox = FakeSandbox(plays=[play])

    async def unpack() -> Whole | Outcome:
        return await whole(Assignment(archive=ARCHIVE, **asked), limits, WatchedSandbox(sandbox), ORDER)

    found = run(unpack())
    assert sandbox.orders == [ORDER]
    assert not sandbox.open
    return found


def refused(play: Play, **asked: Any) -> str:
    """Returns: why the job ended."""
    outcome = unpacked(play, **asked)
    assert isinstance(outcome, Outcome)
    result = outcome.result
    assert (outcome.status, result.verdict, result.cause) == (JobStatus.FAILED, Verdict.FAILED, Cause.BAD_ARCHIVE)
    assert result.summary == f"failed: {result.message}"
    return result.message


def test_files_of_an_archive_are_those_of_the_project() -> None:
    found = unpacked(saying(PACKED), toolchain="npm", env={"A": "b"})

    assert found == Whole(Assignment(files=PACKED, toolchain="npm", env={"A": "b"}))


def test_without_an_archive_no_box_is_started() -> None:
    sandbox, asked = FakeSandbox(), Assignment(files=PACKED)

    assert run(whole(asked, LIMITS, WatchedSandbox(sandbox), ORDER)) == Whole(asked)
    assert sandbox.orders == []


def test_later_changes_are_laid_over_what_was_packed() -> None:
    found = unpacked(saying(PACKED), files={"src/b.ts": b"b", "package.json": b"[]"}, deleted=("src/a.ts",))

    assert found == Whole(Assignment(files={"package.json": b"[]", "src/b.ts": b"b"}))


def test_what_was_to_be_deleted_and_is_not_there_is_told() -> None:
    found = unpacked(saying(PACKED), deleted=("src/x", "src/a.ts", "b"))

    assert isinstance(found, Whole)
    assert found.warnings == ("2 of the deletedPaths are not in the archive, such as 'b'",)


def test_box_gets_the_limits_and_no_more_than_the_archive() -> None:
    works: list[Work] = []

    async def play(work: Work) -> AsyncIterator[BoxEvent]:
        works.append(work)
        async for event in saying(PACKED)(work):
            yield event

    unpacked(play)

    [work] = works
    assert work.files == {".chef/archive": ARCHIVE}
    assert work.steps[0].argv == ("python3", "-I", "/opt/chef/agent/unpack", "3", "10", "20")
    assert (work.max_artifacts, work.artifact_bytes) == (3, 20)
    assert work.env == {}


@pytest.mark.parametrize(
    ("play", "blamed"),
    [
        pytest.param(saying({}, fault="'../x' leads out", files=0), "'../x' leads out.", id="fault"),
        pytest.param(saying(PACKED, fault="bad"), "bad.", id="fault with files"),
        pytest.param(saying(PACKED, files=3), "it cannot be read", id="one is missing"),
        pytest.param(saying({}), "it cannot be read", id="nothing"),
        pytest.param(saying(PACKED, report=b""), "it cannot be read", id="no report"),
        pytest.param(saying(PACKED, report=b"[" * 2000), "it cannot be read", id="no json"),
        pytest.param(saying(PACKED, report=b"[]"), "it cannot be read", id="no object"),
        pytest.param(saying({}, EndedBy.TIMEOUT, b""), "within 60 s", id="timeout"),
        pytest.param(saying({}, EndedBy.OOM, b""), "memory", id="oom"),
        pytest.param(saying({}, EndedBy.DISK_FULL, b""), "room", id="disk full"),
        pytest.param(saying({"A": b"a", "a": b"a"}), "'A' and 'a' differ only", id="case"),
        pytest.param(saying(PACKED, fault="\x1b[31mred\x1b[0m" + "x" * 5000), "red", id="colours"),
    ],
)
def test_a_bad_archive_is_the_end_of_its_job(play: Play, blamed: str) -> None:
    message = refused(play)

    assert message.startswith("The archive cannot be used: ")
    assert blamed in message
    assert "\x1b" not in message
    assert len(message) < 600


@pytest.mark.parametrize(
    ("changes", "blamed"),
    [
        ({"files": {"b": b"", "c": b""}}, "more than 3 files"),
        ({"files": {"b": b"x" * 18}}, "more than 20 bytes"),
        ({"files": {"SRC/A.TS": b""}}, "differ only in upper and lower case"),
        ({"files": {"src": b""}}, "both a file and a folder"),
        ({"deleted": tuple(PACKED)}, "all its files were deleted"),
    ],
)
def test_changes_that_do_not_go_with_the_archive_are_the_end_of_the_job(changes: dict[str, Any], blamed: str) -> None:
    assert blamed in refused(saying(PACKED), **changes)


def test_box_that_was_ended_from_outside_says_nothing_of_the_archive() -> None:
    with pytest.raises(SandboxUnavailable):
        unpacked(killed)


def test_warnings_are_told_with_the_result_and_bounded() -> None:
    found = unpacked(saying(PACKED, warnings=["left \x1b[1mout", 5, *["x"] * 50]))

    assert isinstance(found, Whole)
    assert found.warnings == ("left out", *["x"] * 8)
    outcome = Outcome(status=JobStatus.COMPLETED, result=Result(verdict=Verdict.PASSED, warnings=("own",)))
    assert found.tell(outcome).result.warnings == (*found.warnings, "own")
    assert Whole(found.assignment).tell(outcome) == outcome
