"""Reads what `vite-bundle-analyzer` measured: how many bytes of the bundle each module takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from chef_supervisor.domain.analysis import Bundle, Module
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import MOST_MODULES, a_name, some
from chef_supervisor.engine.shapes import Unreadable, a_text, an_int, dicts, json_of

_PACKAGES = "node_modules/"


def read_bundle(content: bytes, _asked: Asked) -> tuple[Bundle]:
    """
    Returns: the largest modules; one that is in several chunks counts once for each.

    Raises:
        Unreadable: it is no such report.
    """
    report = json_of(content)
    if not isinstance(report, list):
        msg = "it is no list of chunks"
        raise Unreadable(msg)
    chunks = list(some(dicts(report)))
    taken: Counter[str] = Counter()
    for chunk in chunks:
        # By source maps; without them by what the bundler says, before minification.
        for path, size in some(_modules(chunk.get("source") or chunk.get("stats"))):
            taken[path] += size
    return (
        Bundle(
            bytes=sum(an_int(chunk.get("parsedSize")) for chunk in chunks),
            modules=tuple(Module(path=path, bytes=size) for path, size in taken.most_common(MOST_MODULES)),
            module_count=len(taken),
        ),
    )


def _modules(tree: object) -> Iterator[tuple[str, int]]:
    waiting: list[dict[str, Any]] = list(dicts(tree))
    while waiting:
        node = waiting.pop()
        inner = list(dicts(node.get("groups")))
        waiting += inner
        path = _path(a_text(node.get("filename")))
        if not inner and path:
            yield path, an_int(node.get("parsedSize") or node.get("statSize"))


def _path(reported: str) -> str:
    # Where a package really lies is our affair: what follows the last `node_modules` names it.
    before, folder, package = reported.rpartition(_PACKAGES)
    return a_name(f"{_PACKAGES}{package}" if folder else before or package)
