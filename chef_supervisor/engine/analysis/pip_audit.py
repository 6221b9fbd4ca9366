"""Reads what `pip-audit -f json` answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from chef_supervisor.domain.analysis import Vulnerabilities, Vulnerability
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import a_name, a_title, some
from chef_supervisor.engine.analysis.severity import vulnerabilities_of
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, dicts, json_of, texts

_MOST_VERSIONS: Final = 10


def read_pip_audit(content: bytes, _asked: Asked) -> tuple[Vulnerabilities]:
    """
    Returns: one item for each advisory and package; the database does not say how severe they are.

    Raises:
        Unreadable: it is no such answer, or the database knows none of the packages.
    """
    packages = a_dict(json_of(content)).get("dependencies")
    if not isinstance(packages, list):
        msg = "it has no list of dependencies"
        raise Unreadable(msg)
    checked = [one for one in dicts(packages) if "vulns" in one]
    if packages and not checked:
        # pip-audit calls that "no known vulnerabilities".
        msg = f"the database knows none of the {len(packages)} packages"
        raise Unreadable(msg)
    found = some(item for package in checked for item in _items(package))
    return (vulnerabilities_of(found, unchecked=len(packages) - len(checked)),)


def _items(package: dict[str, Any]) -> Iterator[Vulnerability]:
    for one in dicts(package.get("vulns")):
        yield Vulnerability(
            package=a_name(package.get("name")),
            version=a_name(package.get("version")),
            id=a_name(one.get("id")),
            severity="",
            title=a_title(a_text(one.get("description")).strip().partition("\n")[0]),
            fixed_in=a_name(", ".join(texts(one.get("fix_versions"))[:_MOST_VERSIONS])),
        )
