from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chef_supervisor.store import scripts
from chef_supervisor.store.scripts import Script, source

CHECKER = Path(__file__).resolve().parents[3] / "scripts" / "lua_headers.py"
STUB = Script(name="take", keys=("job:", "pending"), argv=("now_ms",), each=("id", "fence"), uses=("clock",))
GOOD = """-- take: something.
-- KEYS  1 job:  2 pending (zset)
-- ARGV  1 now_ms ("" = 1 TIME)
-- EACH  1 id
-- EACH  2 fence
-- RETURNS one code per job.
-- CODES 1 done  0 fenced
-- USES clock
-- COST  O(1)
local K = { job = KEYS[1], pending = KEYS[2] }
local DONE, FENCED = 1, 0
redis.call('HGET', K.job .. ARGV[1], 'x')
redis.call('ZREM', K.pending, ARGV[1])
"""


@pytest.fixture(scope="module")
def checker() -> Any:
    spec = importlib.util.spec_from_file_location("lua_headers", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def check(checker: Any) -> Callable[[str], list[str]]:
    def faults(text: str) -> list[str]:
        found: Iterator[str] = checker.script_faults(STUB, text)
        return list(found)

    return faults


def test_the_scripts_are_as_their_headers_and_stubs_say(checker: Any) -> None:
    assert list(checker.faults()) == []


def test_a_good_script_has_no_faults(check: Callable[[str], list[str]]) -> None:
    assert check(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("-- take: something.", "-- give: something.", "the first line"),
        ("-- COST  O(1)\n", "", "has no COST"),
        ("2 pending (zset)", "2 active", "KEYS"),
        ("1 now_ms", "1 now_s", "ARGV"),
        ("-- EACH  2 fence\n", "", "EACH"),
        ("-- USES clock", "-- USES clock events", "USES"),
        ("pending = KEYS[2] }", "pending = KEYS[3] }", "`local K`"),
        ("K.pending", "K.active", "K.active"),
        ("redis.call('ZREM', K.pending, ARGV[1])\n", "", "declares pending"),
        ("'HGET'", "'hget'", "'hget'"),
        ("'HGET'", "'GETDEL'", "'GETDEL'"),
        ("DONE, FENCED = 1, 0", "DONE, FENCED = 1, 2", "CODES"),
        ("1 done  0 fenced", "whatever", "CODES"),
        ("-- COST  O(1)\n", "-- COST  O(1)\n" + "--\n" * 80, "lines"),
        ("something.", "something " * 20, "too long"),
    ],
)
def test_a_script_that_differs_from_its_header_is_found(
    check: Callable[[str], list[str]], old: str, new: str, fault: str
) -> None:
    assert old in GOOD

    assert any(fault in found for found in check(GOOD.replace(old, new)))


def test_the_shebang_is_for_servers_that_know_it() -> None:
    assert not source(scripts.FINISH, flags=False).startswith("#!")
    assert source(scripts.FINISH, flags=True).startswith("#!lua flags=allow-oom\n")
    assert source(scripts.SUBMIT, flags=True).startswith("#!lua\n")


def test_only_submissions_and_logs_are_refused_when_memory_is_full() -> None:
    """And those that are not begin with the write that has the same effect on 6.2."""
    for script in scripts.ALL:
        assert script.allow_oom == (script not in (scripts.SUBMIT, scripts.LOG))
        assert script.allow_oom == (script.uses[0] == "allow_oom")
