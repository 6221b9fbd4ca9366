"""
Reads what the audits of npm, pnpm, bun and yarn answered: the same advisories in four shapes.

Source: the output of npm 11 (`auditReportVersion` 2), pnpm 12, bun 1.4 and yarn 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from chef_supervisor.domain.analysis import Vulnerabilities, Vulnerability
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import a_name, a_title, some
from chef_supervisor.engine.analysis.severity import severity_of, vulnerabilities_of
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, an_int, dicts, json_of, texts

_ADDRESS: Final = re.compile(r"\S+://\S+")


def read_npm_audit(content: bytes, _asked: Asked) -> tuple[Vulnerabilities]:
    """
    Returns: one item for each advisory and package.

    Raises:
        Unreadable: it is no such answer, or says that there was none.
    """
    return (vulnerabilities_of(some(_items(content))),)


def _items(content: bytes) -> Iterator[Vulnerability]:
    # yarn tells each advisory on a line of its own, and prints nothing where there is none.
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines or lines[0].startswith(b'{"value":'):
        return _of_yarn(lines)
    answer = json_of(content)
    if not isinstance(answer, dict):
        msg = "it is no object"
        raise Unreadable(msg)
    if isinstance(answer.get("vulnerabilities"), dict):
        return _of_npm(answer["vulnerabilities"])
    if isinstance(answer.get("advisories"), dict):
        return _of_pnpm(answer["advisories"])
    if all(isinstance(one, list) for one in answer.values()):
        return _of_bun(answer)
    raise Unreadable(f"the registry did not say ({_why(answer)})")


def _why(answer: dict[str, Any]) -> str:
    """Returns: a code or a sentence, without addresses: there may be passwords in them."""
    error = a_dict(answer.get("error"))
    said = a_name(error.get("code")) or a_title(answer.get("message")) or a_title(error.get("summary"))
    return str(an_int(answer.get("statusCode")) or _ADDRESS.sub("...", said) or "no reason given")


def _of_npm(packages: dict[str, Any]) -> Iterator[Vulnerability]:
    # What is said as a text in `via` is the name of a package that stands here, too.
    for name, package in packages.items():
        for one in dicts(a_dict(package).get("via")):
            yield _item(name, one, version="", fixed_in="")


def _of_pnpm(advisories: dict[str, Any]) -> Iterator[Vulnerability]:
    for one in filter(None, map(a_dict, advisories.values())):
        versions = {a_name(finding.get("version")): None for finding in dicts(one.get("findings"))}
        for version in versions or {"": None}:
            fixed_in = a_name(one.get("patched_versions"))
            yield _item(a_name(one.get("module_name")), one, version=version, fixed_in=fixed_in)


def _of_bun(packages: dict[str, Any]) -> Iterator[Vulnerability]:
    for name, advisories in packages.items():
        yield from (_item(name, one, version="", fixed_in="") for one in dicts(advisories))


def _of_yarn(lines: list[bytes]) -> Iterator[Vulnerability]:
    for line in some(lines):
        told = a_dict(json_of(line))
        one = {key.lower(): value for key, value in a_dict(told.get("children")).items()}
        advisory = {**one, "title": one.get("issue")}
        for version in texts(one.get("tree versions")):
            yield _item(a_text(told.get("value")), advisory, version=a_name(version), fixed_in="")


def _item(name: str, advisory: dict[str, Any], *, version: str, fixed_in: str) -> Vulnerability:
    # The last part of the address is what others call it; the number is the registry's own.
    number = advisory.get("source") or advisory.get("id")
    known_as = a_name(a_text(advisory.get("url")).rstrip("/").rpartition("/")[2]) or str(an_int(number))
    return Vulnerability(
        package=a_name(name),
        version=version,
        id=known_as,
        severity=severity_of(advisory.get("severity")),
        title=a_title(advisory.get("title")),
        fixed_in=fixed_in,
    )
