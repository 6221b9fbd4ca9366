"""Reads which packages a package manager of Node's installed: npm's bill of materials, or pnpm's list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chef_supervisor.domain.analysis import Dependencies, Package
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import a_name, some
from chef_supervisor.engine.analysis.cyclonedx import read_bill
from chef_supervisor.engine.analysis.packages import dependencies_of
from chef_supervisor.engine.shapes import a_dict, dicts, json_of

_TABLES: Final = ("dependencies", "devDependencies", "optionalDependencies")


def read_npm_packages(content: bytes, asked: Asked) -> tuple[Dependencies]:
    """
    Returns: every package by name, and the declared ones with what was installed for them.

    Raises:
        Unreadable: it is neither.
    """
    report = json_of(content)
    if not isinstance(report, list):
        return (read_bill(report, asked),)
    roots = list(dicts(report))
    direct = [package for root in roots for package in some(_packages(root, deep=False))]
    return (dependencies_of(asked, list(some(_all(roots))), direct),)


def _all(roots: list[dict[str, Any]]) -> Iterator[Package]:
    for root in roots:
        yield from _packages(root, deep=True)


def _packages(root: dict[str, Any], *, deep: bool) -> Iterator[Package]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for name, one in (item for table in _TABLES for item in a_dict(node.get(table)).items()):
            found = a_dict(one)
            yield Package(name=a_name(name), version=a_name(found.get("version")), license=a_name(found.get("license")))
            if deep:
                waiting.append(found)
