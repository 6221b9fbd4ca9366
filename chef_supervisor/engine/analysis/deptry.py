"""Reads what `deptry --json-output` found: dependencies that are unused, or imported and not declared."""

from __future__ import annotations

from typing import Any, Final

from chef_supervisor.domain.analysis import Missing, Unused, Usage
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import a_name, some
from chef_supervisor.engine.analysis.usage import usage_of
from chef_supervisor.engine.manifests.python import canonical
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, an_int, dicts, json_of

# Source: deptry's documentation, "Rules & Violations". DEP003: it is there only because something else needs it.
_UNUSED: Final = "DEP002"
_MISSING: Final = frozenset({"DEP001", "DEP003"})


def read_deptry(content: bytes, asked: Asked) -> tuple[Usage]:
    """
    Returns: what it found.

    Raises:
        Unreadable: it is no such report.
    """
    report = json_of(content)
    if not isinstance(report, list):
        msg = "it is no list of violations"
        raise Unreadable(msg)
    kinds = {canonical(one.name): one.kind for one in asked.declared}
    found = [(a_dict(one.get("error")).get("code"), one) for one in some(dicts(report))]
    return (
        usage_of(
            (_unused(one, kinds) for code, one in found if code == _UNUSED),
            (_missing(one) for code, one in found if code in _MISSING),
        ),
    )


def _unused(one: dict[str, Any], kinds: dict[str, str]) -> Unused:
    name = a_name(one.get("module"))
    return Unused(name=name, kind=kinds.get(canonical(name), "runtime"))


def _missing(one: dict[str, Any]) -> Missing:
    place = a_dict(one.get("location"))
    path = project_path(a_text(place.get("file"))) or ""
    return Missing(name=a_name(one.get("module")), file=path, line=an_int(place.get("line")))
