"""Which TypeScript configurations check the project's files: `tsc -p .` often checks nothing."""

from __future__ import annotations

import posixpath
from typing import Any, Final

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, dicts, jsonc_of

_ROOT: Final = "tsconfig.json"
_APP: Final = "tsconfig.app.json"
_CONVEX: Final = "convex/tsconfig.json"
_MOST: Final = 6


def checking_tsconfigs(files: ProjectFiles) -> tuple[str, ...]:
    """Returns: the configurations to check, in order, at most six; empty where there are none."""
    found = _from_root(files)
    if _APP in files and _APP not in found:
        found.insert(0, _APP)
    if _CONVEX in files and _CONVEX not in found:
        found.append(_CONVEX)
    return tuple("convex" if path == _CONVEX else path for path in found[:_MOST])


def _from_root(files: ProjectFiles) -> list[str]:
    if _ROOT not in files:
        return []
    try:
        root = a_dict(jsonc_of(files[_ROOT]))
    except Unreadable:
        # tsc says what is wrong with it.
        return [_ROOT]
    referenced = [path for path in map(_referenced, dicts(root.get("references"))) if path in files]
    only_references = root.get("files") == [] and not root.get("include")
    if only_references:
        return list(dict.fromkeys(referenced)) or [_ROOT]
    return list(dict.fromkeys([_ROOT, *referenced]))


def _referenced(reference: dict[str, Any]) -> str:
    path = posixpath.normpath(a_text(reference.get("path")))
    return path if path.endswith(".json") else posixpath.normpath(f"{path}/{_ROOT}")
