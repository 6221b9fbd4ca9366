"""
Reads a software bill of materials: which packages were installed, in which version, under which licence.

Source: the CycloneDX specification, JSON, 1.5 to 1.7, as npm, pnpm and cyclonedx-py write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from chef_supervisor.domain.analysis import Dependencies, Package
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import a_name, some
from chef_supervisor.engine.analysis.packages import dependencies_of
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, dicts, json_of, texts

_MOST_LICENSES: Final = 10
_CLASSIFIER: Final = "License :: "


def read_cyclonedx(content: bytes, asked: Asked) -> tuple[Dependencies]:
    """
    Returns: every package by name, and the declared ones with what was installed for them.

    Raises:
        Unreadable: it is no such bill.
    """
    return (read_bill(json_of(content), asked),)


def read_bill(report: object, asked: Asked) -> Dependencies:
    """
    Returns: the same of a report that is JSON already.

    Raises:
        Unreadable: it is no such bill.
    """
    bill = a_dict(report)
    if bill.get("bomFormat") != "CycloneDX":
        msg = "it is no CycloneDX bill of materials"
        raise Unreadable(msg)
    components = list(some(dicts(bill.get("components"))))
    of_project = _refs_of_project(bill)
    direct = [_package(one) for one in components if a_text(one.get("bom-ref")) in of_project]
    return dependencies_of(asked, map(_package, components), direct)


def _refs_of_project(bill: dict[str, Any]) -> frozenset[str]:
    root = a_dict(a_dict(bill.get("metadata")).get("component")).get("bom-ref")
    of_root = (one for one in dicts(bill.get("dependencies")) if root is not None and one.get("ref") == root)
    return frozenset(ref for one in of_root for ref in texts(one.get("dependsOn")))


def _package(component: dict[str, Any]) -> Package:
    name, group = a_name(component.get("name")), a_name(component.get("group"))
    # npm writes a scope into the name, pnpm into the group.
    whole = f"{group}/{name}" if group and not name.startswith(group) else name
    return Package(name=whole, version=a_name(component.get("version")), license=_license(component))


def _license(component: dict[str, Any]) -> str:
    found = list(islice(_licenses(component), _MOST_LICENSES))
    # Python packages declare the same licence again as a classifier.
    known = [one for one in found if not one.startswith(_CLASSIFIER)]
    names = known or [one.rpartition(" :: ")[2] for one in found]
    return a_name(", ".join(dict.fromkeys(names)))


def _licenses(component: dict[str, Any]) -> Iterator[str]:
    for one in dicts(component.get("licenses")):
        license_ = a_dict(one.get("license"))
        name = a_name(one.get("expression")) or a_name(license_.get("id")) or a_name(license_.get("name"))
        if name:
            yield name
