"""Reads what `knip --reporter json` found: dependencies that are unused or not declared, and import cycles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chef_supervisor.domain.analysis import Cycles, Missing, Unused, Usage
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import a_name, some
from chef_supervisor.engine.analysis.usage import cycles_of, usage_of
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, an_int, dicts, json_of

_UNUSED: Final = {"dependencies": "runtime", "devDependencies": "dev", "optionalPeerDependencies": "peer"}


def read_knip(content: bytes, _asked: Asked) -> tuple[Usage, Cycles]:
    """
    Returns: what it found.

    Raises:
        Unreadable: it is no such report.
    """
    issues = a_dict(json_of(content)).get("issues")
    if not isinstance(issues, list):
        msg = "it has no list of issues"
        raise Unreadable(msg)
    files = list(dicts(issues))
    unused = some(one for file in files for one in _unused(file))
    missing = some(one for file in files for one in _missing(file))
    cycles = some(cycle for file in files for cycle in _cycles(file))
    return usage_of(unused, missing), cycles_of(map(_path, cycles))


def _unused(file: dict[str, Any]) -> Iterator[Unused]:
    for table, kind in _UNUSED.items():
        yield from (Unused(name=a_name(one.get("name")), kind=kind) for one in dicts(file.get(table)))


def _missing(file: dict[str, Any]) -> Iterator[Missing]:
    path = project_path(a_text(file.get("file"))) or ""
    for one in dicts(file.get("unlisted")):
        yield Missing(name=a_name(one.get("name")), file=path, line=an_int(one.get("line")))


def _cycles(file: dict[str, Any]) -> Iterator[list[Any]]:
    cycles = file.get("cycles")
    yield from (one for one in cycles if isinstance(one, list)) if isinstance(cycles, list) else ()


def _path(cycle: list[Any]) -> list[str]:
    return [a_text(one.get("name")) for one in dicts(cycle)]
