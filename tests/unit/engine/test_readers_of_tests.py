from __future__ import annotations

import pytest

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers import LAST_RESORT, OUTPUT_READERS, REPORT_READERS
from chef_supervisor.engine.readers.findings import Findings
from tests.unit.engine.samples import capture, printed
from tests.unit.engine.tests_of_runners import CAPTURED, Captured

ROWS = pytest.mark.parametrize("row", CAPTURED, ids=lambda row: row.name)


def read(row: Captured) -> Findings:
    if row.reader in REPORT_READERS:
        return REPORT_READERS[row.reader](capture(row.name))
    return OUTPUT_READERS[row.reader](printed(row.name))


@ROWS
def test_counts_are_those_of_the_runner(row: Captured) -> None:
    tests = read(row).tests

    assert tests is not None
    assert row.counts == (tests.passed, tests.failed, tests.skipped)


@ROWS
def test_failed_tests_are_named_with_file_and_place(row: Captured) -> None:
    found = read(row)
    assert found.tests is not None
    places = {one.message.partition(":")[0]: one for one in found.diagnostics}

    failed = [case for case in found.tests.cases if case.status is Verdict.FAILED]

    assert {(one.name, one.file) for one in row.failed} == {(case.name, case.file) for case in failed}
    assert len(row.failed) == len(failed)
    # one finding per test whose file is known, at the innermost place of its stack that is the project's own
    expected = sorted((one.name.partition(":")[0], one.place) for one in row.failed if one.place)
    actual = [(one.message.partition(":")[0], f"{one.file}:{one.line}:{one.column}") for one in found.diagnostics]
    assert expected == sorted(actual)
    assert {row.tool} >= {one.tool for one in places.values()}
    assert {"test-failed"} >= {one.code for one in places.values()}


@ROWS
def test_a_failed_test_says_why_without_the_runners_frames(row: Captured) -> None:
    found = read(row)

    assert found.tests is not None
    for case in found.tests.cases:
        assert "at new Promise" not in case.message
        if case.status is Verdict.FAILED and "exited with" not in case.name:
            assert case.message


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        (
            "vitest5.txt",
            ["Parse failure: Parse failed with 1 error: Unexpected token", "expected -1 to be 3", "no depth"],
        ),
        (
            "jest30.json",
            ["math > adds: Expected: 3 Received: -1", "(the whole file): SyntaxError: Unexpected token ';'"],
        ),
        (
            "ava7.txt",
            ["math > adds: Difference (- actual, + expected): - -1 + 3", "math > goes deep: TypeError: no depth"],
        ),
        ("bun1.txt", ["math > adds: Expected: 3 Received: -1"]),
        ("node24-tap.txt", ["adds: -1 == 3", "inner: inner"]),
        ("pytest9-long.txt", ["test_adds: assert -1 == 3", "(the whole file): SyntaxError: invalid syntax"]),
        ("unittest.txt", ["Sums.test_adds: AssertionError: -1 != 3"]),
    ],
)
def test_the_finding_of_a_failed_test_gives_its_reason(name: str, reasons: list[str]) -> None:
    row = next(one for one in CAPTURED if one.name == name)

    messages = [one.message for one in read(row).diagnostics]

    for reason in reasons:
        assert [message for message in messages if reason in message], (reason, messages)


@pytest.mark.parametrize("reader", OUTPUT_READERS)
def test_no_reader_takes_another_runners_output_for_its_own(reader: str) -> None:
    for row in CAPTURED:
        if row.reader != reader and row.reader not in REPORT_READERS:
            found = OUTPUT_READERS[reader](printed(row.name))

            assert found.tests is None, row.name
            # stacks are read only where nothing else tells of a failure
            assert found.diagnostics == () or reader in LAST_RESORT, row.name


def test_tests_that_failed_alike_share_their_text() -> None:
    lines = [
        " FAIL  a.test.ts > one",
        " FAIL  a.test.ts > two",
        "Error: no",
        " ❯ a.test.ts:3:1",
        "      Tests  2 failed (2)",
    ]

    found = OUTPUT_READERS["vitest_text"](lines)

    assert found.tests is not None
    assert [(case.name, case.message) for case in found.tests.cases] == [
        ("one", "Error: no\n ❯ a.test.ts:3:1"),
        ("two", "Error: no\n ❯ a.test.ts:3:1"),
    ]


def test_what_jest_tells_twice_is_read_once() -> None:
    told = ["FAIL a.test.js", "  ● adds", "", "    no", "", "Summary of all failing tests"]
    end = ["Test Suites: 1 failed, 1 total", "Tests:       1 failed, 1 total"]

    found = OUTPUT_READERS["jest_text"]([*told, *told[:-1], *end])

    assert found.tests is not None
    assert (found.tests.failed, len(found.tests.cases)) == (1, 1)


def test_a_runner_that_did_not_end_told_no_counts() -> None:
    for reader, name in (
        ("vitest_text", "vitest5.txt"),
        ("jest_text", "jest30.txt"),
        ("pytest_text", "pytest9-long.txt"),
    ):
        lines = printed(name)

        assert OUTPUT_READERS[reader](lines[: len(lines) // 2]) == Findings()


def test_what_a_test_of_bun_prints_in_passing_is_not_told_of_the_next() -> None:
    lines = [
        "a.test.js:", "only noise", "(pass) one [0.1ms]", "error: no", "    at x (a.test.js:3:1)", "(fail) two",
        "", " 1 pass", " 1 fail", "Ran 2 tests across 1 file. [9.00ms]",
    ]  # fmt: skip

    found = OUTPUT_READERS["bun_text"](lines)

    assert found.tests is not None
    assert [case.message for case in found.tests.cases] == ["error: no\n    at x (a.test.js:3:1)"]
