"""Reads `pyproject.toml`: its tables, and the requirements it declares for running and checking the project."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine.shapes import Unreadable, a_dict, texts

_PATH: Final = "pyproject.toml"
# tomllib is slow; no honest file comes near.
_MAX_BYTES: Final = 131_072
# Extras and groups that tests and linters need; others (gpu, docs, ...) may be heavy and are left out.
WANTED: Final = re.compile(r"dev|develop|development|tests?|testing|ci|lint|linting|types?|typing|check|checks|all-dev")


def read_pyproject(files: ProjectFiles) -> dict[str, Any]:
    """
    Returns: its tables; empty where there is no such file.

    Raises:
        Unreadable: it is no TOML, or larger than 128 KiB.
    """
    content = files.get(_PATH, b"")
    if len(content) > _MAX_BYTES:
        msg = f"it is larger than {_MAX_BYTES} bytes"
        raise Unreadable(msg)
    try:
        return tomllib.loads(content.decode("utf-8"))
    except RecursionError as error:
        msg = "it is nested too deep"
        raise Unreadable(msg) from error
    except ValueError as error:
        msg = f"no TOML: {error}"
        raise Unreadable(msg) from error


def has_table(root: dict[str, Any], names: Iterable[str]) -> bool:
    """Returns: whether one of the tables, as in `tool.ruff`, is there."""
    return any(_at(root, name.split(".")) is not None for name in names)


def _at(root: object, keys: list[str]) -> object:
    value = root
    for key in keys:
        value = a_dict(value).get(key)
    return value


def requirements(root: dict[str, Any]) -> Iterator[str]:
    """Yields: requirements of `[project]`, of the extras and of the dependency groups that checking needs."""
    project = a_dict(root.get("project"))
    yield from texts(project.get("dependencies"))
    for name, items in a_dict(project.get("optional-dependencies")).items():
        if WANTED.fullmatch(name.lower()):
            yield from texts(items)
    groups = a_dict(root.get("dependency-groups"))
    for name in groups:
        if WANTED.fullmatch(name.lower()):
            yield from _group(groups, name, set())


def _group(groups: dict[str, Any], name: str, seen: set[str]) -> Iterator[str]:
    if name in seen or len(seen) > 50:
        return
    seen.add(name)
    items = groups.get(name)
    for item in items if isinstance(items, list) else []:
        if isinstance(item, str):
            yield item
        elif isinstance(included := a_dict(item).get("include-group"), str):
            yield from _group(groups, included, seen)


def wanted_extras(root: dict[str, Any]) -> list[str]:
    """Returns: the names of the extras that checking needs."""
    extras = a_dict(a_dict(root.get("project")).get("optional-dependencies"))
    return [name for name in extras if WANTED.fullmatch(name.lower())]
