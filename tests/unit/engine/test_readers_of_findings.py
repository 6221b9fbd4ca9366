from __future__ import annotations

import pytest

from chef_supervisor.domain.outcome import Severity
from chef_supervisor.engine.readers import LAST_RESORT, OUTPUT_READERS, REPORT_READERS
from chef_supervisor.engine.readers.findings import Findings
from tests.unit.engine.findings_of_tools import BUNDLERS, LINTERS, STACKS, Row
from tests.unit.engine.samples import capture, printed

ROWS = [*LINTERS, *BUNDLERS, *STACKS]


def read(reader: str, name: str) -> Findings:
    if reader in REPORT_READERS:
        return REPORT_READERS[reader](capture(name))
    return OUTPUT_READERS[reader](printed(name))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_findings_have_a_place_a_message_and_a_tool(row: Row) -> None:
    reader, name, tool, expected = row

    found = read(reader, name)

    assert expected == [(one.file, one.line, one.column, one.code) for one in found.diagnostics]
    assert all(one.message for one in found.diagnostics)
    assert {tool} >= {one.tool for one in found.diagnostics}
    assert found.tests is None


OWN = {(reader, name) for reader, name, _, _ in ROWS}
TEXTS = sorted({name for reader, name, _, _ in ROWS if reader in OUTPUT_READERS})


@pytest.mark.parametrize("reader", sorted(OUTPUT_READERS.keys() - LAST_RESORT))
def test_no_reader_takes_another_tools_output_for_its_own(reader: str) -> None:
    for name in TEXTS:
        if (reader, name) not in OWN:
            assert OUTPUT_READERS[reader](printed(name)) == Findings(), name


@pytest.mark.parametrize(
    ("reader", "name", "warnings"),
    [
        ("eslint_text", "eslint9.txt", ["no-console"]),
        ("biome_text", "biome2.txt", ["lint/correctness/noUnusedVariables"] * 2),
        ("bundler", "esbuild0-missing.txt", ["impossible-typeof"]),
        (
            "oxlint_json",
            "oxlint1.json",
            ["eslint(no-unused-vars)", "eslint(no-debugger)", "eslint(no-constant-condition)"],
        ),
        ("stylelint_text", "stylelint17.txt", []),
    ],
)
def test_warnings_are_told_from_errors(reader: str, name: str, warnings: list[str]) -> None:
    found = read(reader, name).diagnostics

    assert warnings == [one.code for one in found if one.severity is Severity.WARNING]


@pytest.mark.parametrize(
    ("reader", "line", "place"),
    [
        ("tsc", "app/(shop)/[id]/page.tsx(3,4): error TS1: no", ("app/(shop)/[id]/page.tsx", 3, 4)),
        ("tsc", "src/my file.ts:3:4 - error TS1: no", ("src/my file.ts", 3, 4)),
        ("bundler", "app/(shop)/page.tsx (3:4): no", ("app/(shop)/page.tsx", 3, 5)),
        ("github", "::error file=src/my file.js,line=3,col=4::no", ("src/my file.js", 3, 4)),
        ("mypy", "src/my file.py:3:4: error: no  [code]", ("src/my file.py", 3, 4)),
    ],
)
def test_file_names_may_hold_spaces_and_brackets(reader: str, line: str, place: tuple[str, int, int]) -> None:
    [found] = OUTPUT_READERS[reader]([line]).diagnostics

    assert place == (found.file, found.line, found.column)


def test_messages_that_mypy_breaks_are_whole() -> None:
    [first, _] = read("mypy", "mypy2-pretty.txt").diagnostics

    assert first.message.endswith('(expression has type "str", variable has type "int")')


def test_a_syntax_error_in_a_required_file_is_there_and_not_where_it_is_required() -> None:
    lines = [
        "/workspace/lib/b.cjs:2", "const b = ;", "          ^", "", "SyntaxError: Unexpected token ';'",
        "    at wrapSafe (node:internal/modules/cjs/loader:1861:18)",
        "    at Object.<anonymous> (/workspace/a.cjs:1:1)",
    ]  # fmt: skip

    [found] = OUTPUT_READERS["node_errors"](lines).diagnostics

    assert (found.file, found.line) == ("lib/b.cjs", 2)


def test_a_stack_of_dependencies_alone_is_no_finding() -> None:
    lines = ["Error: deep", "    at x (/deps/node_modules/a/index.js:1:2)", "    at node:internal/main:1:1"]

    assert OUTPUT_READERS["node_errors"](lines).diagnostics == ()


def test_the_cause_tells_the_place_where_the_last_exception_has_none() -> None:
    traceback = "Traceback (most recent call last):"
    chained = "The above exception was the direct cause of the following exception:"
    lines = [
        traceback, '  File "/workspace/a.py", line 3, in f', "    f()", "KeyError: 'x'", "", chained, "",
        traceback, '  File "/usr/lib/b.py", line 1, in g', "    g()", "RuntimeError: no",
    ]  # fmt: skip

    [found] = OUTPUT_READERS["traceback"](lines).diagnostics

    assert (found.file, found.line, found.message) == ("a.py", 3, "no")
