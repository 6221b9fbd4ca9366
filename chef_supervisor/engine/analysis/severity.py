"""Vulnerabilities, worst first and within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chef_supervisor.domain.analysis import Vulnerabilities, Vulnerability
from chef_supervisor.engine.analysis.bounds import MOST_VULNERABILITIES

_ORDER: Final = ("critical", "high", "moderate", "low", "info", "")
# GitHub's word for what npm calls moderate.
_SAME: Final = {"medium": "moderate"}


def severity_of(value: object) -> str:
    """Returns: the word, empty where it is none of those that are known."""
    word = _SAME.get(value, value) if isinstance(value, str) else ""
    return word if word in _ORDER else ""


def vulnerabilities_of(found: Iterable[Vulnerability], unchecked: int = 0) -> Vulnerabilities:
    """Returns: the part; each is told once."""
    items = sorted(dict.fromkeys(found), key=lambda one: (_ORDER.index(one.severity), one.package, one.id))
    return Vulnerabilities(items=tuple(items[:MOST_VULNERABILITIES]), count=len(items), unchecked=unchecked)
