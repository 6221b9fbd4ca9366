"""Reads what `[tool.uv]` says of where packages come from: other folders of the project, or places that need a build."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine import globs
from chef_supervisor.engine.shapes import a_dict, a_text, dicts, texts

_NAME: Final = "pyproject.toml"
_MOST_MEMBERS: Final = 50
_MAX_BYTES: Final = 131_072
_PYTHON_PIN: Final = re.compile(rb"""^requires-python[ \t]*=[ \t]*(?:"[^"\n]*"|'[^'\n]*')""", re.MULTILINE)
_ANY_PYTHON: Final = b'requires-python = ">=3.8"'


def sources(root: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """
    Yields: (name, address as in a requirement) of what no index is asked for: that would get a stranger's package.

    The address of a member of the workspace is empty: it is there already.
    """
    for name, declared in a_dict(_uv(root).get("sources")).items():
        for one in [a_dict(declared), *dicts(declared)]:
            if one.get("workspace"):
                yield name, ""
            elif one.get("path"):
                yield name, f"file:{a_text(one.get('path'))}"
            elif address := a_text(one.get("url")) or a_text(one.get("git")):
                yield name, address if one.get("url") else f"git+{address}"


def workspace_members(files: ProjectFiles, root: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields: (folder, tables) of the members of a workspace, at most 50; one that cannot be read counts as empty."""
    workspace = a_dict(_uv(root).get("workspace"))
    left_out = [f"{pattern}/{_NAME}" for pattern in texts(workspace.get("exclude"))]
    wanted = [f"{posixpath.normpath(pattern)}/{_NAME}" for pattern in texts(workspace.get("members"))]
    found = [path for path in globs.matching(wanted, files) if not globs.matching(left_out, [path])]
    for path in found[:_MOST_MEMBERS]:
        yield posixpath.dirname(path), _tables(files[path])


def without_python_pins(files: ProjectFiles, members: list[str]) -> ProjectFiles:
    """Returns: manifests and the lock file as uv gets them; it would refuse to install for another Python."""
    paths = [_NAME, "uv.lock", *(f"{member}/{_NAME}" for member in members)]
    return {path: _PYTHON_PIN.sub(_ANY_PYTHON, files[path]) for path in paths if path in files}


def _uv(root: Mapping[str, Any]) -> dict[str, Any]:
    return a_dict(a_dict(root.get("tool")).get("uv"))


def _tables(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content[:_MAX_BYTES].decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
