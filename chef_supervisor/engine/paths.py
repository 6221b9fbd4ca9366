"""Paths that tools report, as paths of the project; the others are dropped."""

from __future__ import annotations

import posixpath

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import check_path
from chef_supervisor.engine.text import clean, without_our_paths

_LONGEST = 1024


def project_path(reported: str) -> str | None:
    """Returns: the path relative to the project; None where it lies outside or cannot be a path."""
    if len(reported) > _LONGEST or clean(reported) != reported:
        return None
    path = posixpath.normpath(without_our_paths(reported.strip())) if reported.strip() else ""
    try:
        return check_path(path, "path")
    except Unprocessable:
        return None
