"""docs/guarantees.md names tests that exist, and leaves out no promise."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text()
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
_ROW = re.compile(r"^\| G(\d+) \|(.*)\|$", re.MULTILINE)


def _exists(path: str, name: str) -> bool:
    file = ROOT / "tests" / path
    return file.is_file() and re.search(rf"^(?:async )?def {name}\(", file.read_text(), re.MULTILINE) is not None


def test_every_test_that_is_named_exists() -> None:
    named = _TEST.findall(TEXT)

    assert named
    assert [f"{path}::{name}" for path, name in named if not _exists(path, name)] == []


def test_every_mention_of_a_test_is_one_that_is_checked() -> None:
    assert TEXT.count("::") == len(_TEST.findall(TEXT))


def test_every_promise_has_a_row_and_tests_that_hold_it() -> None:
    rows = {int(number): row for number, row in _ROW.findall(TEXT)}

    assert set(rows) == set(range(1, 24))
    assert [number for number, row in rows.items() if not _TEST.search(row)] == []
