from __future__ import annotations

import random

import orjson
import pytest

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.outcome import (
    Artifact,
    Cause,
    Diagnostic,
    Output,
    Result,
    Severity,
    StepResult,
    StepStatus,
    TestCase,
    TestCounts,
    Verdict,
)
from chef_supervisor.store.codec import encode_result, pack, pack_small, unpack

FULL = Result(
    verdict=Verdict.FAILED,
    cause=Cause.EXIT,
    message="1 test fails",
    steps=(
        StepResult(name="test", status=StepStatus.FAILED, exit_code=1, ms=12),
        StepResult(name="lint", status=StepStatus.SKIPPED, exit_code=None, ms=0),
    ),
    tests=TestCounts(
        passed=3,
        failed=1,
        skipped=0,
        cases=(TestCase(name="adds", file="a.test.ts", status=Verdict.FAILED, ms=2, message="1 != 2"),),
    ),
    diagnostics=(
        Diagnostic(file="src/a.ts", line=3, column=7, severity=Severity.ERROR, code="TS2322", message="no", tool="tsc"),
    ),
    artifacts=(Artifact(path="dist/a.js", bytes=10, sha256="ab" * 32),),
    summary="1 of 4 tests fails",
    output=Output(head="head", tail="tail", dropped_bytes=5),
    warnings=("a child was killed for memory",),
)


def test_a_result_has_exactly_the_shape_of_the_api() -> None:
    assert orjson.loads(encode_result(FULL)) == {
        "verdict": "failed",
        "cause": "exit",
        "message": "1 test fails",
        "steps": [
            {"name": "test", "status": "failed", "exitCode": 1, "ms": 12, "output": None},
            {"name": "lint", "status": "skipped", "exitCode": None, "ms": 0, "output": None},
        ],
        "tests": {
            "passed": 3,
            "failed": 1,
            "skipped": 0,
            "cases": [{"name": "adds", "file": "a.test.ts", "status": "failed", "ms": 2, "message": "1 != 2"}],
        },
        "diagnostics": [
            {
                "file": "src/a.ts",
                "line": 3,
                "column": 7,
                "severity": "error",
                "code": "TS2322",
                "message": "no",
                "tool": "tsc",
            }
        ],
        "artifacts": [{"path": "dist/a.js", "bytes": 10, "sha256": "ab" * 32}],
        "summary": "1 of 4 tests fails",
        "output": {"head": "head", "tail": "tail", "droppedBytes": 5},
        "warnings": ["a child was killed for memory"],
        "toolchain": "",
        "cachedFrom": None,
        "analysis": None,
    }


def test_a_result_of_nothing_is_complete_too() -> None:
    assert orjson.loads(encode_result(Result(verdict=Verdict.SKIPPED, cause=Cause.NO_TESTS))) == {
        "verdict": "skipped",
        "cause": "no_tests",
        "message": "",
        "steps": [],
        "tests": None,
        "diagnostics": [],
        "artifacts": [],
        "summary": "",
        "output": {"head": "", "tail": "", "droppedBytes": 0},
        "warnings": [],
        "toolchain": "",
        "cachedFrom": None,
        "analysis": None,
    }


def test_a_lone_surrogate_does_not_lose_the_result() -> None:
    result = Result(verdict=Verdict.PASSED, message="a\ud800b", output=Output(tail="\udfff"), warnings=("fine é",))

    shown = orjson.loads(encode_result(result))

    assert (shown["message"], shown["output"]["tail"], shown["warnings"]) == ("a?b", "?", ["fine é"])


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 200_000, 3_000_000])
@pytest.mark.parametrize("kind", ["text", "noise"])
async def test_unpacked_is_what_was_packed_whatever_its_size(size: int, kind: str) -> None:
    content = (b"const a = 1\n" * (size // 12 + 1))[:size] if kind == "text" else random.Random(size).randbytes(size)

    stored = await pack(content)

    assert await unpack(stored) == content
    assert len(stored) <= size + 1


def test_small_and_incompressible_contents_stay_plain() -> None:
    noise = random.Random(1).randbytes(5000)

    assert pack_small(b"a" * 1023) == b"\x00" + b"a" * 1023
    assert pack_small(noise) == b"\x00" + noise
    assert len(pack_small(b"a" * 1024)) < 100


@pytest.mark.asyncio
@pytest.mark.parametrize("stored", [b"", b"\x02abc", b"\x01abc", b"{}"])
async def test_bytes_that_were_not_packed_are_refused(stored: bytes) -> None:
    with pytest.raises(Bug):
        await unpack(stored)
