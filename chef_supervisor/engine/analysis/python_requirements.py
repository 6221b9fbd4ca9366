"""The dependencies that a Python project declares, each with what it wants and what for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from chef_supervisor.domain.analysis import DirectDependency
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine import globs
from chef_supervisor.engine.analysis.bounds import a_name
from chef_supervisor.engine.manifests.poetry import poetry_requirements
from chef_supervisor.engine.manifests.pyproject import read_pyproject, requirements
from chef_supervisor.engine.manifests.python import canonical
from chef_supervisor.engine.shapes import Unreadable, a_dict, texts

# A name, extras, and what is wanted up to a marker, an option or a comment.
# Source: PEP 508 and pip's "Requirements File Format".
_REQUIREMENT: Final = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?P<wanted>[^;#]*)"
)
_OPTION: Final = re.compile(r"\s--?[a-z].*", re.DOTALL)
_RUNTIME_FILES: Final = ("requirements.txt", "requirements/{base,main}.txt")
_ALL_FILES: Final = ("*requirements*.txt", "requirements/**/*.txt")
_LONGEST_LINE: Final = 2000


def declared_in_python(files: ProjectFiles) -> Iterator[DirectDependency]:
    """Yields: each name once, first what the project needs to run, then what it needs to be worked on."""
    seen: set[str] = set()
    for line, kind in _lines(files):
        match = None if len(line) > _LONGEST_LINE else _REQUIREMENT.match(line)
        if match is None or canonical(match["name"]) in seen:
            continue
        seen.add(canonical(match["name"]))
        wanted = a_name(_OPTION.sub("", match["wanted"]).rstrip("\\ \t"))
        yield DirectDependency(name=match["name"], wanted=wanted, version="", license="", kind=kind)


def _lines(files: ProjectFiles) -> Iterator[tuple[str, str]]:
    try:
        root = read_pyproject(files)
    except Unreadable:
        root = {}
    yield from ((line, "runtime") for line in texts(a_dict(root.get("project")).get("dependencies")))
    yield from _of_poetry(root)
    runtime = globs.matching(_RUNTIME_FILES, files)
    yield from ((line, "runtime") for path in runtime for line in _text(files[path]))
    yield from ((line, "dev") for line in requirements(root))
    others = [path for path in globs.matching(_ALL_FILES, files) if path not in runtime]
    yield from ((line, "dev") for path in others for line in _text(files[path]))


def _of_poetry(root: dict[str, Any]) -> Iterator[tuple[str, str]]:
    main = set(map(canonical, a_dict(a_dict(a_dict(root.get("tool")).get("poetry")).get("dependencies"))))
    for line in poetry_requirements(root):
        match = _REQUIREMENT.match(line)
        yield line, "runtime" if match is not None and canonical(match["name"]) in main else "dev"


def _text(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
