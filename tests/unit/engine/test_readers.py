from __future__ import annotations

import json
import time

import pytest

from chef_supervisor.domain.outcome import Severity, Verdict
from chef_supervisor.engine.readers import OUTPUT_READERS, REPORT_READERS
from chef_supervisor.engine.shapes import Unreadable
from tests.unit.engine.samples import capture

TESTS = [
    ("jest_json", "vitest5-fail.json", (5, 1, 0), ("clock > shows minutes and seconds", "src/clock.test.ts")),
    ("jest_json", "vitest5-broken-file.json", (4, 1, 0), ("(the whole file)", "src/clock.test.ts")),
    ("jest_json", "jest29.json", (1, 2, 1), ("adds", "sum.test.cjs")),
    ("junit", "pytest9.xml", (1, 2, 1), ("test_wrong", "tests/test_all.py")),
    ("junit", "pytest9-import-error.xml", (0, 1, 0), ("(the whole file)", "tests/test_import.py")),
    ("junit", "node-test.xml", (3, 1, 1), ("broken", "a.test.mjs")),
]


@pytest.mark.parametrize(("reader", "name", "counts", "first"), TESTS)
def test_tests_are_read_from_reports(
    reader: str, name: str, counts: tuple[int, int, int], first: tuple[str, str]
) -> None:
    tests = REPORT_READERS[reader](capture(name)).tests

    assert tests is not None
    assert counts == (tests.passed, tests.failed, tests.skipped)
    assert (*first, Verdict.FAILED) == (tests.cases[0].name, tests.cases[0].file, tests.cases[0].status)
    assert tests.cases[0].message
    assert "node_modules" not in tests.cases[0].message


def test_lint_reports_are_read() -> None:
    eslint = REPORT_READERS["eslint_json"](capture("eslint.json")).diagnostics
    ruff = REPORT_READERS["ruff_json"](capture("ruff.json")).diagnostics

    assert [(one.code, one.severity) for one in eslint] == [
        ("no-unused-vars", "error"),
        ("no-undef", "error"),
        ("no-console", "warning"),
    ]
    assert ("bad.py", 1, 8, "F401") in [(one.file, one.line, one.column, one.code) for one in ruff]


BOMB = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]><testsuite><testcase name="&y;"/></testsuite>'
HOSTILE = [
    ("mocha_json", b"{}"),
    ("mocha_json", b'{"passes": 3}'),
    ("stylelint_json", b"{}"),
    ("oxlint_json", b"[]"),
    ("oxlint_json", b'{"diagnostics": {}}'),
    ("junit", BOMB),
    ("junit", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>'),
    ("junit", b"<a>" * 100_000),
    ("junit", b"<html></html>"),
    ("junit", b"\xff\xfe<\x00"),
    ("junit", b""),
    ("jest_json", b"{}"),
    ("jest_json", b"[" * 1_000_000),
    ("jest_json", b'{"a":' * 100_000),
    ("jest_json", b'{"testResults": 1e999}'),
    ("jest_json", b'{"testResults": "\\ud800"}'),
    ("eslint_json", b"{}"),
    ("ruff_json", b"nonsense"),
]


@pytest.mark.parametrize(("reader", "content"), HOSTILE)
def test_a_hostile_report_is_unreadable_and_nothing_worse(reader: str, content: bytes) -> None:
    with pytest.raises(Unreadable):
        REPORT_READERS[reader](content)


PIECES = [
    "a", "a.", " ", "a:1:", "::error a", "[", "  [a", "✘ [ERROR] ", '  File "', "(1,", "a/(", " FAIL a [ ", " in a",
    "Error: a from ", "at a (", "a.js:1:", "  ● ", "not ok 1 # ", "_ ", "=== 1 failed ", "a━", "Error: ", "in 1 failed, ",
    "Could not resolve ", "  1) ", "FAILED a - ", "error TS1: 'a", "warning  ", "[plugin a] ", "a (1:1): ", " a > ",
]  # fmt: skip


@pytest.mark.parametrize("reader", OUTPUT_READERS)
@pytest.mark.parametrize("piece", PIECES)
def test_hostile_lines_take_linear_time(reader: str, piece: str) -> None:
    lines = [(piece * 4000)[:4000]] * 16
    started = time.perf_counter()

    OUTPUT_READERS[reader](lines)

    assert time.perf_counter() - started < 1


def test_a_report_of_wrong_shapes_is_read_as_far_as_it_goes() -> None:
    report = {
        "testResults": [
            7,
            {"name": ["a"], "assertionResults": [None, {"status": 3, "title": {}, "duration": "NaN"}]},
            {"name": "/etc/passwd", "status": "failed", "message": 5, "assertionResults": "x"},
        ]
    }

    tests = REPORT_READERS["jest_json"](json.dumps(report).encode()).tests

    assert tests is not None
    assert (tests.passed, tests.failed, tests.skipped) == (0, 1, 1)
    assert {""} == {case.file for case in tests.cases}


def test_failed_cases_come_first_and_only_so_many_are_kept() -> None:
    cases = [{"title": f"t{number}", "status": "passed" if number % 3 else "failed"} for number in range(3000)]
    report = {"testResults": [{"name": "a.test.ts", "assertionResults": cases}]}

    tests = REPORT_READERS["jest_json"](json.dumps(report).encode()).tests

    assert tests is not None
    assert (tests.passed, tests.failed, tests.skipped) == (2000, 1000, 0)
    assert [case.status for case in tests.cases] == [Verdict.FAILED] * 500


def test_only_so_many_findings_are_kept_and_errors_win() -> None:
    messages = [{"line": n, "column": 1, "severity": 1 if n < 1000 else 2, "message": "m" * 9000} for n in range(1100)]

    found = REPORT_READERS["eslint_json"](json.dumps([{"filePath": "a.js", "messages": messages}]).encode()).diagnostics

    assert len(found) == 200
    assert [one.severity for one in found] == [Severity.ERROR] * 100 + [Severity.WARNING] * 100
    assert {2000} == {len(one.message) for one in found}


@pytest.mark.parametrize(
    "file", ["/etc/passwd", "../up.ts", "C:/x.ts", "a\u202eb.ts", ".chef/x.ts", "/workspace/../x", ""]
)
def test_findings_outside_the_project_are_dropped(file: str) -> None:
    report = json.dumps([{"filePath": file, "messages": [{"line": 1, "message": "m"}]}]).encode()

    assert REPORT_READERS["eslint_json"](report).diagnostics == ()
