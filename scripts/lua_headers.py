#!/usr/bin/env python3
"""
Hold the Lua scripts to their headers, and the headers to what Python passes:  scripts/lua_headers.py

Prints one line a fault; exit 1 where there are any. The header of a command:

    -- claim: one sentence.
    -- KEYS  1 job:  2 pending ...        as in the stub of chef_supervisor/store/scripts.py
    -- ARGV  1 now_ms ("" = TIME) ...     once for all items
    -- EACH  1 nonce  2 slots             for each item
    -- RETURNS ...
    -- CODES  1 done  0 fenced            or none
    -- USES clock events                  files of lua/lib/ that come before it, in this order
    -- COST  ...
    local K = { job = KEYS[1], ... }
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from chef_supervisor.store import scripts  # noqa: E402 # found by the line above
from chef_supervisor.store.scripts import FOLDER, Script  # noqa: E402

MAX_LINES: Final = 80
MAX_COLUMNS: Final = 120
SECTIONS: Final = ("KEYS", "ARGV", "EACH", "RETURNS", "CODES", "USES", "COST")
REPEATED: Final = frozenset({"KEYS", "ARGV", "EACH", "USES"})
# All that the scripts may call: known to Redis 6.2, and none of them blocks or walks the whole key space.
_COMMANDS: Final = """
    DEL EXISTS GET HDEL HGET HINCRBY HLEN HMGET HSCAN HSET MGET PERSIST PEXPIRE SET TIME UNLINK XADD XDEL XRANGE XTRIM
    ZADD ZCARD ZRANGE ZRANGEBYSCORE ZREM ZREMRANGEBYRANK
"""
COMMANDS: Final = frozenset(_COMMANDS.split())
_SECTION: Final = re.compile(r"-- ([A-Z]+)\s+(.*)")
_NAME: Final = re.compile(r"(?:^|\s)(\d+) ([a-z_]+:?)")
_KEY: Final = re.compile(r"(\w+) = KEYS\[(\d+)\]")
_CALL: Final = re.compile(r"redis\.p?call\(\s*(\S+?)[,)]")
_CODE: Final = re.compile(r"local ([A-Z_, ]+) = ([\d, ]+)$", re.MULTILINE)


def faults() -> Iterator[str]:
    """Yields: one sentence per fault, of all files."""
    known = {script.name for script in scripts.ALL}
    for file in sorted(FOLDER.glob("*.lua")):
        if file.stem not in known:
            yield f"{file.name}: has no stub in scripts.py"
    for script in scripts.ALL:
        text = (FOLDER / f"{script.name}.lua").read_text(encoding="utf-8")
        library = "".join((FOLDER / "lib" / f"{name}.lua").read_text(encoding="utf-8") for name in script.uses)
        yield from (f"{script.name}.lua: {fault}" for fault in script_faults(script, text, library))
    for file in sorted((FOLDER / "lib").glob("*.lua")):
        text = file.read_text(encoding="utf-8")
        yield from (f"lib/{file.name}: {fault}" for fault in _library_faults(file.stem, text))


def script_faults(script: Script, text: str, library: str = "") -> Iterator[str]:
    """Yields: one sentence per fault of a command's text; `library` is the text of what it uses."""
    yield from _shape_faults(text)
    if not text.startswith(f"-- {script.name}: "):
        yield f"the first line is not `-- {script.name}: <what it does>`"
    header = _header(text)
    missing = [section for section in SECTIONS if section not in header]
    if missing:
        yield f"the header has no {', '.join(missing)}"
        return
    yield from _same("KEYS", script.keys, _names(header["KEYS"]))
    yield from _same("ARGV", script.argv, _names(header["ARGV"]))
    yield from _same("EACH", script.each, _names(header["EACH"]))
    yield from _same("USES", script.uses, tuple(header["USES"].split()))
    yield from _key_faults(script, text, library)
    yield from _code_faults(header["CODES"], text)


def _library_faults(name: str, text: str) -> Iterator[str]:
    yield from _shape_faults(text)
    if not text.startswith(f"-- {name}: "):
        yield f"the first line is not `-- {name}: <what it is for>`"
    if not any(name in script.uses for script in scripts.ALL):
        yield "no script uses it"


def _shape_faults(text: str) -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield f"{len(lines)} lines; {MAX_LINES} are allowed"
    yield from (f"line {number} is too long" for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS)
    for verb in _CALL.findall(text):
        if verb.strip("'\"") not in COMMANDS:
            yield f"calls {verb}, which is not in the list of commands"


def _key_faults(script: Script, text: str, library: str) -> Iterator[str]:
    bound = {name: int(number) for name, number in _KEY.findall(text)}
    expected = {name.rstrip(":"): number for number, name in enumerate(script.keys, 1)}
    if bound != expected:
        yield f"`local K` has {bound}, the stub has {expected}"
    used = set(re.findall(r"\bK\.(\w+)", text + library))
    yield from (f"uses K.{name}, which is no key of it" for name in sorted(used - expected.keys()))
    yield from (f"declares {name} and does not use it" for name in sorted(expected.keys() - used))


def _code_faults(codes: str, text: str) -> Iterator[str]:
    written = {name: number for number, name in _NAME.findall(codes)}
    found: dict[str, str] = {}
    for names, numbers in _CODE.findall(text):
        found |= dict(zip(names.lower().split(", "), numbers.split(", "), strict=True))
    # Constants that are no codes of an answer are not in the header.
    missing = {name: number for name, number in written.items() if found.get(name) != number}
    if missing:
        yield f"CODES {missing} are not in the code"
    if not written and not codes.startswith("none"):
        yield "CODES has neither codes nor `none`"


def _header(text: str) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if (match := _SECTION.match(line)) and match[1] in SECTIONS:
            before = f"{header[match[1]]}  " if match[1] in header and match[1] in REPEATED else ""
            header[match[1]] = before + match[2]
    return header


def _names(section: str) -> tuple[str, ...]:
    plain = re.sub(r"\([^)]*\)", "", section)
    found = _NAME.findall(plain)
    # A number that is out of turn names nothing.
    return tuple(name for index, (number, name) in enumerate(found, 1) if int(number) == index)


def _same(section: str, stub: tuple[str, ...], header: tuple[str, ...]) -> Iterator[str]:
    if stub != header:
        yield f"{section}: the header says {header}, the stub in scripts.py {stub}"


if __name__ == "__main__":
    found = list(faults())
    print("\n".join(found) or f"{len(scripts.ALL)} scripts are as their headers say")
    sys.exit(1 if found else 0)
