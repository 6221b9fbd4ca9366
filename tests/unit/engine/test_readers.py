from __future__ import annotations

import json
import time
from typing import Any

import pytest

from chef_supervisor.domain.outcome import Severity, Verdict
from chef_supervisor.engine.readers import OUTPUT_READERS, REPORT_READERS
from chef_supervisor.engine.shapes import Unreadable
from chef_supervisor.engine.text import decode
from tests.unit.engine.samples import capture

OUTPUT = [
    ("tsc", "tsc7.txt", [("src/clock.ts", 4, 9, "TS6133"), ("src/clock.ts", 5, 3, "TS2322")]),
    ("tsc", "tsc5.txt", [("src/t.ts", 1, 7, "TS2322")]),
    ("tsc", "tsc5-pretty.txt", [("src/t.ts", 1, 7, "TS2322")]),
    ("frames", "vite8-syntax.txt", [("src/clock.ts", 7, 19, "builtin:vite-transform")]),
    ("frames", "vite8-missing.txt", [("src/App.tsx", 2, 8, "UNRESOLVED_IMPORT")]),
    (
        "frames",
        "oxlint.txt",
        [("src/clock.ts", 7, 28, "eslint(eqeqeq)"), ("src/clock.ts", 7, 36, "eslint(no-debugger)")],
    ),
    ("bundler", "vite6-syntax.txt", [("src/main.ts", 2, 11, "")]),
    ("bundler", "vite6-not-exported.txt", [("src/main.js", 1, 9, "")]),
    ("bundler", "vite6-unresolved.txt", [("src/main.js", 0, 0, "")]),
    ("bundler", "esbuild.txt", [("src/main.ts", 2, 11, "")]),
    (
        "eslint_text",
        "eslint.txt",
        [
            ("src/main.js", 1, 7, "no-unused-vars"),
            ("src/main.js", 2, 1, "no-undef"),
            ("src/main.js", 2, 1, "no-console"),
        ],
    ),
    (
        "github",
        "biome-github.txt",
        [
            ("src/main.js", 1, 7, "lint/correctness/noUnusedVariables"),
            ("src/main.ts", 1, 7, "lint/correctness/noUnusedVariables"),
            ("src/main.ts", 2, 7, "lint/correctness/noUnusedVariables"),
            ("src/main.ts", 2, 12, "parse"),
        ],
    ),
    ("mypy", "mypy.txt", [("bad.py", 2, 10, "assignment")]),
    ("flake8", "ruff-concise.txt", [("f8.py", 1, 8, "F401")]),
    ("traceback", "compileall.txt", [("broken.py", 1, 0, "SyntaxError")]),
    ("traceback", "traceback.txt", [("boom.py", 2, 0, "json.decoder.JSONDecodeError")]),
]
OWN = {(reader, name) for reader, name, _ in OUTPUT}
OTHERS = sorted({(reader, name) for reader in OUTPUT_READERS for _, name in OWN} - OWN)


@pytest.mark.parametrize(("reader", "name", "expected"), OUTPUT)
def test_findings_are_read_from_what_tools_print(reader: str, name: str, expected: list[tuple[Any, ...]]) -> None:
    found = [one for one in OUTPUT_READERS[reader](decode(capture(name)).splitlines()) if one is not None]

    assert expected == [(one.file, one.line, one.column, one.code) for one in found]
    assert all(one.message for one in found)


@pytest.mark.parametrize(("reader", "name"), OTHERS)
def test_no_reader_takes_another_tools_output_for_its_own(reader: str, name: str) -> None:
    assert [one for one in OUTPUT_READERS[reader](decode(capture(name)).splitlines()) if one is not None] == []


TESTS = [
    ("jest_json", "vitest5-fail.json", (5, 1, 0), ("clock > shows minutes and seconds", "src/clock.test.ts")),
    ("jest_json", "vitest5-broken-file.json", (4, 1, 0), ("(the whole file)", "src/clock.test.ts")),
    ("jest_json", "jest29.json", (1, 2, 1), ("adds", "sum.test.cjs")),
    ("junit", "pytest9.xml", (1, 2, 1), ("test_wrong", "tests/test_all.py")),
    ("junit", "pytest9-import-error.xml", (0, 1, 0), ("tests.test_import", "tests/test_import.py")),
    ("junit", "node-test.xml", (2, 1, 1), ("broken", "a.test.mjs")),
]


@pytest.mark.parametrize(("reader", "name", "counts", "first"), TESTS)
def test_tests_are_read_from_reports(
    reader: str, name: str, counts: tuple[int, int, int], first: tuple[str, str]
) -> None:
    tests = REPORT_READERS[reader](capture(name)).tests

    assert tests is not None
    assert counts == (tests.passed, tests.failed, tests.skipped)
    assert sum(counts) == len(tests.cases)
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


@pytest.mark.parametrize("reader", OUTPUT_READERS)
@pytest.mark.parametrize(
    "piece", ["a", "a.", " ", "a:1:", "::error a", "[", "  [a", "✘ [ERROR] ", '  File "', "(1,", "a/("]
)
def test_hostile_lines_take_linear_time(reader: str, piece: str) -> None:
    lines = [(piece * 4000)[:4000]] * 64
    started = time.perf_counter()

    list(OUTPUT_READERS[reader](lines))

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
