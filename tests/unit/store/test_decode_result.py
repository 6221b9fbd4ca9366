"""A result is read back as it was written."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.analysis import (
    Analysis,
    Answer,
    Bundle,
    Cycles,
    Dependencies,
    DirectDependency,
    Inventory,
    Language,
    Module,
    Package,
    Vulnerabilities,
    Vulnerability,
)
from chef_supervisor.domain.outcome import Cause, Output, Result, StepResult, StepStatus, Verdict
from chef_supervisor.store.codec import decode_result, encode_result
from tests.unit.store.test_codec import FULL

ANALYZED = Result(
    verdict=Verdict.PASSED,
    steps=(StepResult(name="tsc", status=StepStatus.PASSED, exit_code=0, ms=1, output=Output(head="ok")),),
    toolchain="npm",
    analysis=Analysis(
        inventory=Inventory(files=1, bytes=2, languages=(Language(name="TypeScript", files=1, lines=2, bytes=3),)),
        dependencies=Dependencies(
            direct=(DirectDependency(name="vite", wanted="^8", version="8.0.1", license="MIT", kind="dev"),),
            direct_count=1,
            locked=(Package(name="vite", version="8.0.1", license="MIT"),),
            locked_count=1,
        ),
        cycles=Cycles(paths=(("a.ts", "b.ts"), ("c.ts",)), count=2),
        bundle=Bundle(status=Answer.UNKNOWN, reason="It does not build.", modules=(Module(path="a.ts", bytes=1),)),
        vulnerabilities=Vulnerabilities(
            items=(Vulnerability(package="x", version="", id="GHSA-1", severity="low", title="t", fixed_in=""),),
            count=1,
        ),
    ),
)


@pytest.mark.parametrize(
    "result",
    [FULL, ANALYZED, Result(verdict=Verdict.SKIPPED, cause=Cause.NO_TESTS)],
    ids=["full", "analyzed", "bare"],
)
def test_a_result_is_read_back_as_it_was_written(result: Result) -> None:
    assert decode_result(encode_result(result)) == result


@pytest.mark.parametrize("encoded", [b"", b"null", b"[]", b"{}", b'{"verdict":"passed","more":1}', b'{"verdict":1}'])
def test_what_is_no_result_of_this_version_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match="this version cannot read"):
        decode_result(encoded)
