"""Reads what `ruff analyze graph` found, file -> the files it imports, and looks for cycles in it."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.analysis import Cycles
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.usage import cycles_of
from chef_supervisor.engine.shapes import Unreadable, json_of, texts

# Each cycle takes one walk over the graph.
_MOST_CYCLES: Final = 20
_MOST_IMPORTS: Final = 100_000


def read_import_graph(content: bytes, _asked: Asked) -> tuple[Cycles]:
    """
    Returns: up to 20 cycles that differ in at least one import.

    Raises:
        Unreadable: it is no such graph, or larger than any project's.
    """
    report = json_of(content)
    if not isinstance(report, dict):
        msg = "it is no object of files"
        raise Unreadable(msg)
    graph = {file: [one for one in dict.fromkeys(texts(imports)) if one != file] for file, imports in report.items()}
    if sum(map(len, graph.values())) + len(graph) > _MOST_IMPORTS:
        msg = f"it has more than {_MOST_IMPORTS} files and imports"
        raise Unreadable(msg)
    return (cycles_of(_cycles(graph)),)


def _cycles(graph: dict[str, list[str]]) -> Iterator[list[str]]:
    for _ in range(_MOST_CYCLES):
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            # It ends with the file that it starts with, and goes from what is imported to what imports it.
            path: list[str] = error.args[1][:0:-1]
            first = path.index(min(path))
            yield path[first:] + path[:first]
            graph[path[0]].remove(path[1])
        else:
            return
