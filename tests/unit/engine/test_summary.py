from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chef_supervisor.domain.outcome import (
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
from chef_supervisor.engine.summary import MAX_BYTES, summary_of

FAILED = Result(verdict=Verdict.FAILED, message="The build failed.")


def finding(
    file: str, line: int, severity: Severity = Severity.ERROR, message: str = "no", code: str = ""
) -> Diagnostic:
    return Diagnostic(file=file, line=line, column=2, severity=severity, code=code, message=message, tool="t")


def step(name: str, status: StepStatus, code: int | None = None) -> StepResult:
    return StepResult(name=name, status=status, exit_code=code, ms=1)


def counts(*failed: TestCase, more: int = 0) -> TestCounts:
    return TestCounts(passed=2, failed=len(failed) + more, skipped=1, cases=failed)


def case(name: str, message: str, file: str = "a.test.ts") -> TestCase:
    return TestCase(name=name, file=file, status=Verdict.FAILED, ms=1, message=message)


def test_the_verdict_comes_first_and_findings_are_by_file_worst_first() -> None:
    found = (
        finding("few.ts", 9, code="E1"),
        finding("many.ts", 7, code="E2", message="seventh\nline"),
        finding("many.ts", 3, Severity.WARNING),
        finding("many.ts", 1),
        finding("harmless.ts", 1, Severity.WARNING),
    )

    summary = summary_of(attrs.evolve(FAILED, diagnostics=found), "")

    assert summary.splitlines() == [
        "failed: The build failed.",
        "findings: 3 errors, 2 warnings in 3 files",
        "many.ts",
        "  1:2 error no",
        "  7:2 error E2 seventh line",
        "  3:2 warning no",
        "few.ts",
        "  9:2 error E1 no",
        "harmless.ts",
        "  1:2 warning no",
    ]


def test_failed_tests_come_with_reason_and_place_and_not_once_more_as_findings() -> None:
    failed = case("math > adds", "AssertionError: expected 1 to be 2\n    at a.test.ts:4:5\n    at b.ts:1:1")
    diagnostics = (finding("a.test.ts", 4, message="math > adds: no", code="test-failed"), finding("b.ts", 1))

    summary = summary_of(attrs.evolve(FAILED, tests=counts(failed), diagnostics=diagnostics), "")

    assert summary.splitlines() == [
        "failed: The build failed.",
        "tests: 2 passed, 1 failed, 1 skipped",
        "FAIL a.test.ts > math > adds",
        "  AssertionError: expected 1 to be 2",
        "  at a.test.ts:4:5",
        "findings: 1 error, 0 warnings in 1 file",
        "b.ts",
        "  1:2 error no",
    ]


def test_of_pytests_text_the_marked_lines_are_told() -> None:
    failed = case(
        "test_a", "def test_a():\n>   assert 1 == 2\nE   assert 1 == 2\n\ntest_a.py:2: AssertionError", "test_a.py"
    )

    summary = summary_of(attrs.evolve(FAILED, tests=counts(failed)), "")

    assert summary.splitlines()[2:] == ["FAIL test_a.py > test_a", "  assert 1 == 2", "  at test_a.py:2"]


@pytest.mark.parametrize("explained", [True, False])
def test_the_end_of_the_output_is_there_where_nothing_else_explains_a_failure(*, explained: bool) -> None:
    diagnostics = (finding("a.ts", 1),) if explained else (finding("a.ts", 1, Severity.WARNING),)
    output = Output(head="long ago", tail="first\n\nall is lost\n")

    summary = summary_of(attrs.evolve(FAILED, diagnostics=diagnostics, output=output), "")

    assert ("last output:\nfirst\nall is lost" in summary) is not explained


def test_what_passed_needs_no_output() -> None:
    result = Result(verdict=Verdict.PASSED, message="The build passed.", output=Output(tail="built"), toolchain="npm")

    assert summary_of(result, "") == "passed: The build passed.\ntoolchain: npm"


def test_failed_steps_toolchain_warnings_and_analysis_are_told() -> None:
    steps = (
        step("install", StepStatus.PASSED, 0), step("lint", StepStatus.FAILED, 2), step("types", StepStatus.TIMEOUT),
        step("last", StepStatus.SKIPPED),
    )  # fmt: skip
    warnings = ("node 18 was asked for; node 24 was used",)

    summary = summary_of(attrs.evolve(FAILED, steps=steps, toolchain="pnpm", warnings=warnings), "3 files\n2 cycles")

    assert summary.splitlines()[1:] == [
        "step lint: failed, exit code 2",
        "step types: timeout",
        "toolchain: pnpm",
        "warning: node 18 was asked for; node 24 was used",
        "3 files",
        "2 cycles",
    ]


def test_what_is_left_out_is_counted() -> None:
    failed = [case(f"t{number}", "no") for number in range(30)]
    diagnostics = [finding(f"{number}.ts", line) for number in range(60) for line in range(1, 4)]
    diagnostics += [finding("big.ts", line) for line in range(1, 21)]
    result = attrs.evolve(
        FAILED, tests=counts(*failed, more=70), diagnostics=tuple(diagnostics), warnings=tuple(map(str, range(20)))
    )

    lines = summary_of(result, "").splitlines()

    assert "... and 90 more failing tests" in lines
    assert "  ... and 12 more here" in lines
    shown = sum(line.startswith("  ") and "error" in line for line in lines)
    [more] = [line for line in lines if "more findings" in line]
    assert f"... and {200 - shown - 12} more findings in " in more
    assert "... and 12 more warnings" in lines


def test_findings_and_warnings_have_room_beside_many_failed_tests() -> None:
    failed = [case("t" * 400, "\n".join(["m" * 400] * 20)) for _ in range(50)]
    result = attrs.evolve(FAILED, tests=counts(*failed), diagnostics=tuple(finding(f"{n}.ts", 1) for n in range(99)))

    summary = summary_of(attrs.evolve(result, warnings=("the version asked for is not here",)), "")

    assert "more failing tests" in summary
    assert "  1:2 error no" in summary
    assert "warning: the version asked for is not here" in summary
    assert len(summary.encode()) <= MAX_BYTES


TEXT = st.text(alphabet=st.sampled_from("a\n ü😀\u2028:E>-"), max_size=20).map(lambda text: text * 60)


@settings(max_examples=80)
@given(
    st.lists(st.builds(finding, TEXT, st.integers(0, 9), st.sampled_from(Severity), TEXT, TEXT), max_size=60),
    st.lists(st.builds(case, TEXT, TEXT, TEXT), max_size=30),
    st.lists(TEXT, max_size=20),
    TEXT,
    TEXT,
)
def test_any_result_has_a_summary_within_its_bytes(
    diagnostics: list[Diagnostic], cases: list[TestCase], warnings: list[str], output: str, analysis: str
) -> None:
    result = attrs.evolve(
        FAILED,
        message=output,
        diagnostics=tuple(diagnostics),
        tests=counts(*cases) if cases else None,
        warnings=tuple(warnings),
        output=Output(tail=output * 9),
    )

    summary = summary_of(result, analysis)

    assert len(summary.encode()) <= MAX_BYTES
    assert summary.startswith("failed:")
