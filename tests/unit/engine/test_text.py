from __future__ import annotations

import time

import pytest

from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.shapes import an_int, jsonc_of
from chef_supervisor.engine.text import decode, message_of, without_our_paths


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain\ttab\n", "plain\ttab\n"),
        (b"\x1b[31mred\x1b[0m \x1b[38;2;1;2;3;1mtrue\x1b[0m", "red true"),
        (b"\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1b]0;title\x07", "link "),
        (b"\x1b]never closed\nnext", "\nnext"),
        (b"10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        (b"\r\rlast\r", "last"),
        (b"\xff\xed\xa0\x80", "\\xff\\xed\\xa0\\x80"),
        (b"nul\x00bell\x07del\x7f", "nulbelldel"),
        ("c1\x9b31mred \u202eright".encode(), "c1red right"),
        (b"\x1b", ""),
        (b"spin\x1b[2K\x1b[1Gdone", "spindone"),
    ],
)
def test_output_becomes_clean_text(raw: bytes, text: str) -> None:
    assert text == decode(raw)


@pytest.mark.parametrize(
    "raw", [b"\x1b[" * 300_000, b"\x1b]" * 300_000, b"\r" * 500_000, b"a\r" * 300_000, b"\x9b" * 9]
)
def test_cleaning_takes_linear_time(raw: bytes) -> None:
    started = time.perf_counter()

    decode(raw)

    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at /workspace/src/a.ts:1", "at src/a.ts:1"),
        ("file:///deps/node_modules/x.js", "node_modules/x.js"),
        ("RUN /workspace", "RUN ."),
        ("(/workspace/a)", "(a)"),
        ("src/deps/a.ts and ./workspace/b and /workspaces/c", "src/deps/a.ts and ./workspace/b and /workspaces/c"),
    ],
)
def test_our_folders_vanish_and_the_projects_own_stay(text: str, expected: str) -> None:
    assert expected == without_our_paths(text)


def test_a_long_message_is_cut() -> None:
    assert len(message_of("x" * 10_000_000)) == 2000


@pytest.mark.parametrize(
    ("reported", "path"),
    [
        ("/workspace/src/a.ts", "src/a.ts"),
        ("./src//a.ts", "src/a.ts"),
        ("/deps/node_modules/x/a.d.ts", "node_modules/x/a.d.ts"),
        ("src/../a.ts", "a.ts"),
        ("../a.ts", None),
        ("/usr/lib/a.py", None),
        ("a\x00b", None),
        ("/workspace", None),
        ("", None),
        ("x/" * 2000, None),
    ],
)
def test_reported_paths_are_inside_the_project_or_nothing(reported: str, path: str | None) -> None:
    assert path == project_path(reported)


@pytest.mark.parametrize(
    ("value", "number"),
    [(3.9, 3), (-1, 0), (float("nan"), 0), (1e300, 2**31 - 1), ("12", 12), (True, 0), ("١", 0), (None, 0)],
)
def test_numbers_of_reports_are_sane(value: object, number: int) -> None:
    assert number == an_int(value)


def test_comments_and_trailing_commas_are_read_over() -> None:
    assert jsonc_of(b'{"a": "// no comment", /* x */ "b": [1, // y\n], }') == {"a": "// no comment", "b": [1]}


@pytest.mark.parametrize("content", [b"/* " * 500_000, b'"\\"' * 400_000, b"," * 500_000, b",//\n" * 200_000])
def test_reading_a_hostile_tsconfig_takes_linear_time(content: bytes) -> None:
    started = time.perf_counter()

    with pytest.raises(ValueError, match="no JSON"):
        jsonc_of(content)

    assert time.perf_counter() - started < 2
