"""Reads what a Python project requires: requirements files and `pyproject.toml`, without the project itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine import globs
from chef_supervisor.engine.manifests.manifest import Manifest
from chef_supervisor.engine.manifests.pin import Pin
from chef_supervisor.engine.manifests.poetry import LOCK, locked_versions, poetry_python, poetry_requirements
from chef_supervisor.engine.manifests.pyproject import read_pyproject, requirements, wanted_extras
from chef_supervisor.engine.manifests.uv import sources, without_python_pins, workspace_members
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text

# Written beside the project's own files for pip: what to install, and of which versions.
GENERATED: Final = "chef-requirements.txt"
CONSTRAINTS: Final = "chef-constraints.txt"
_PYTHON_VERSION: Final = ".python-version"
_SOME: Final = "{dev,develop,development,test,tests,testing,lint,ci,check}"
_FILES: Final = (
    "requirements.txt",
    f"requirements-{_SOME}.txt",
    f"requirements_{_SOME}.txt",
    f"{_SOME}-requirements.txt",
    f"{_SOME}_requirements.txt",
    f"requirements/{{base,main,{_SOME}}}.txt",
)
_ALL_FILES: Final = ("*requirements*.txt", "requirements/**/*.txt", "constraints*.txt")
_NAME: Final = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
# The project itself and other folders: they are not there when dependencies are installed.
_LOCAL: Final = re.compile(r"\s*(?:-e\b|--editable\b|\.|/|file:|[\w.-]+(?:\[[^\]]*\])?\s*@\s*(?:file:|\.))")

# An install has network, and building a package runs its code: only wheels are installed.
_BUILT: Final = re.compile(
    r"""\s*(?:[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*)?        # a name, or nothing
        (?:git|hg|svn|bzr|https?|ftp)[+\w.-]*://      # then an address
        (?!\S*\.whl(?:[\s;\#]|$))                    # of anything but a wheel""",
    re.VERBOSE | re.IGNORECASE,
)
_OPTION: Final = re.compile(r"\s*(-{1,2}[A-Za-z][A-Za-z-]*)")
# Options of a requirements file that say where and what, not how to build.
_KNOWN_OPTIONS: Final = frozenset(
    {
        *("-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "--no-index"),
        *("-f", "--find-links", "--pre", "--prefer-binary", "--require-hashes", "--trusted-host"),
    }
)


def canonical(name: str) -> str:
    """Returns: the name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_python(files: ProjectFiles) -> Manifest:
    """Returns: what is required, and requirements files with what cannot be installed taken out."""
    warnings: list[str] = []
    pyproject = _read(files, warnings)
    members = list(workspace_members(files, pyproject))
    listed = {path: _lines(files[path]) for path in globs.matching(_ALL_FILES, files)}
    everything = [pyproject, *(tables for _, tables in members)]
    declared = [line for line in dict.fromkeys(_declared(everything)) if _is_one_line(line)]
    warnings += _left_out([*declared, *(line for lines in listed.values() for line in lines)])
    kept = {path: [line for line in lines if not _why_not(line)] for path, lines in listed.items()}
    wanted = [path for path in globs.matching(_FILES, files) if any(map(_says_something, kept[path]))]
    own = [line for line in declared if not _why_not(line)]
    unpinned = without_python_pins(files, [path for path, _ in members])
    generated = {**unpinned, GENERATED: _generated(own, wanted), CONSTRAINTS: _constraints(files, warnings)}
    return Manifest(
        dependencies=_names([*own, *(line for path in wanted for line in kept[path])]),
        installs=bool(own or wanted),
        files=_as_files(kept) | generated,
        words={"uv_extras": _uv_extras(pyproject), "python_path": _python_path([path for path, _ in members])},
        pins=tuple(_pins(pyproject, files)),
        warnings=tuple(warnings),
    )


def _read(files: ProjectFiles, warnings: list[str]) -> dict[str, Any]:
    try:
        return read_pyproject(files)
    except Unreadable as error:
        warnings.append(f"pyproject.toml cannot be read: {error}")
        return {}


def _declared(everything: list[dict[str, Any]]) -> Iterator[str]:
    elsewhere = {canonical(name): place for tables in everything for name, place in sources(tables)}
    for tables in everything:
        for line in (*requirements(tables), *poetry_requirements(tables)):
            name = _NAME.match(line)
            place = elsewhere.get(canonical(name[1])) if name else None
            if place is None:
                yield line
            elif name and place:
                yield f"{name[1]} @ {place}"


def _constraints(files: ProjectFiles, warnings: list[str]) -> bytes:
    if LOCK not in files:
        return b""
    try:
        lines, said = locked_versions(files)
    except Unreadable as error:
        warnings.append(f"{LOCK} cannot be read: {error}")
        return b""
    warnings += said
    return "".join(f"{line}\n" for line in lines).encode()


def _python_path(members: list[str]) -> tuple[str, ...]:
    folders = ["", *(f"/{member}" for member in members)]
    return tuple(f"/workspace{folder}{source}" for folder in folders for source in ("/src", ""))


def _pins(pyproject: dict[str, Any], files: ProjectFiles) -> Iterator[Pin]:
    declared = a_text(a_dict(pyproject.get("project")).get("requires-python"))
    for wanted, where in ((declared, "requires-python"), (poetry_python(pyproject), "tool.poetry.dependencies")):
        if wanted:
            yield Pin("python", wanted, where)
    if _PYTHON_VERSION in files:
        wanted = files[_PYTHON_VERSION][:100].decode("utf-8", "replace").strip()
        yield Pin("python", wanted, _PYTHON_VERSION)


def with_packages(generated: bytes, packages: Iterable[str]) -> bytes:
    """Returns: the generated requirements file with more packages."""
    return generated + "".join(f"{package}\n" for package in packages).encode()


def _lines(content: bytes) -> list[str]:
    # A backslash at the end joins lines; pip does so before it looks at comments.
    return (
        content.decode("utf-8", "replace")
        .removeprefix("\ufeff")
        .replace("\\\r\n", " ")
        .replace("\\\n", " ")
        .splitlines()
    )


def _is_one_line(line: str) -> bool:
    return len(line.splitlines()) == 1 and not line.lstrip().startswith("-")


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _why_not(line: str) -> str:
    """Returns: why that line is left out of what pip is given; empty where it is not."""
    if _LOCAL.match(line):
        return "it is part of the project or a folder"
    if _BUILT.match(line):
        return "only wheels are installed: building a package would run its code with network"
    option = _OPTION.match(line)
    return "this option is not taken from a project" if option and option[1] not in _KNOWN_OPTIONS else ""


def _left_out(lines: list[str]) -> list[str]:
    reasons = ((line.strip(), _why_not(line)) for line in lines)
    return [f"not installed, because {reason}: {line[:200]}" for line, reason in reasons if reason][:10]


def _names(lines: list[str]) -> frozenset[str]:
    matches = (_NAME.match(line) for line in lines if _says_something(line))
    return frozenset(canonical(match[1]) for match in matches if match)


def _as_files(listed: dict[str, list[str]]) -> ProjectFiles:
    return {path: "".join(f"{line}\n" for line in lines).encode() for path, lines in listed.items()}


def _generated(own: list[str], wanted: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in [*(f"-r {path}" for path in wanted), *own]).encode()


def _uv_extras(pyproject: dict[str, Any]) -> tuple[str, ...]:
    return tuple(word for name in wanted_extras(pyproject) for word in ("--extra", name))
