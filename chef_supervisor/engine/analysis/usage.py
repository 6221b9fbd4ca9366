"""Puts unused and missing dependencies, and import cycles, into bounds; each is named once."""

from __future__ import annotations

from collections.abc import Iterable

from chef_supervisor.domain.analysis import Cycles, Missing, Unused, Usage
from chef_supervisor.engine.analysis.bounds import LONGEST_CYCLE, MOST_CYCLES, MOST_MISSING, MOST_UNUSED
from chef_supervisor.engine.paths import project_path


def usage_of(unused: Iterable[Unused], missing: Iterable[Missing]) -> Usage:
    """Returns: the part; of a package that is missing in many files the first one is named."""
    by_name = {one.name: one for one in unused if one.name}
    first: dict[str, Missing] = {}
    for one in missing:
        if one.name:
            first.setdefault(one.name, one)
    return Usage(
        unused=tuple(by_name.values())[:MOST_UNUSED],
        unused_count=len(by_name),
        missing=tuple(first.values())[:MOST_MISSING],
        missing_count=len(first),
    )


def cycles_of(found: Iterable[list[str]]) -> Cycles:
    """Returns: the part; a cycle that leaves the project is none of its own, one that is too long to read is cut."""
    paths: dict[tuple[str, ...], None] = {}
    count = 0
    for cycle in found:
        path = tuple(name for name in map(project_path, cycle[:LONGEST_CYCLE]) if name)
        if not path or len(path) < len(cycle[:LONGEST_CYCLE]) or path in paths:
            continue
        count += 1
        if count <= MOST_CYCLES:
            paths[path] = None
    return Cycles(paths=tuple(paths), count=count)
