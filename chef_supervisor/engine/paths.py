"""Paths that tools report, as paths of the project; the others are dropped."""

from __future__ import annotations

import posixpath
from typing import Final

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import check_path
from chef_supervisor.engine.text import clean, without_our_paths

_LONGEST: Final = 1024
_INSTALLED: Final = frozenset({"node_modules", "site-packages", "venv", ".venv", ".yarn", ".pnpm"})


def project_path(reported: str) -> str | None:
    """Returns: the path relative to the project; None where it lies outside or cannot be a path."""
    # `<stdin>`, `<string>`: text that was in no file.
    if len(reported) > _LONGEST or clean(reported) != reported or reported.startswith("<"):
        return None
    path = posixpath.normpath(without_our_paths(reported.strip())) if reported.strip() else ""
    try:
        return check_path(path, "path")
    except Unprocessable:
        return None


def own_path(reported: str) -> str | None:
    """Returns: as `project_path`, but None for what was installed: the project did not write it."""
    path = project_path(reported)
    return path if path is not None and _INSTALLED.isdisjoint(path.split("/")) else None
