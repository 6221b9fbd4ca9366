"""Reports become one analysis. A part whose report is missing or cannot be read is unknown, and says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from chef_supervisor.domain.analysis import (
    Analysis,
    Answer,
    Bundle,
    Cycles,
    Dependencies,
    Part,
    Usage,
    Vulnerabilities,
    Vulnerability,
)
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import MOST_DIRECT
from chef_supervisor.engine.analysis.readers import ANALYSIS_READERS, AnalysisReader
from chef_supervisor.engine.shapes import Unreadable
from chef_supervisor.engine.text import message_of

_FIELD: Final[Mapping[type[Part], str]] = {
    Dependencies: "dependencies",
    Usage: "usage",
    Cycles: "cycles",
    Bundle: "bundle",
    Vulnerabilities: "vulnerabilities",
}
_NOBODY: Final = "nobody was asked: nothing was installed, or the package manager has no command for it"


def analysis_of(
    asked: Asked, readers: Mapping[str, str], reports: Mapping[str, bytes], *, nothing_ran: str = ""
) -> Analysis:
    """
    Returns: the parts that `readers` (report path -> name) look for, the inventory, and always those about dependencies.
    `nothing_ran`: why no tool was started, where that is so.

    Never raises, whatever the reports hold.
    """
    parts: dict[str, Any] = {"inventory": asked.inventory}
    parts |= {
        _FIELD[part]: _unknown(part, _NOBODY, asked) if asked.declared else part()
        for part in (Dependencies, Vulnerabilities)
    }
    for path, name in readers.items():
        reader = ANALYSIS_READERS.get(name)
        if reader is not None:
            parts |= {_FIELD[type(part)]: part for part in _read(reader, reports.get(path), asked, nothing_ran)}
    return _with_versions(Analysis(**parts))


def _read(reader: AnalysisReader, report: bytes | None, asked: Asked, nothing_ran: str) -> Iterator[Part]:
    # A tool that is missing leaves an empty file where a shell opened it.
    if not report:
        reason = nothing_ran or f"{reader.tool} gave no report: it failed, took too long, or is missing in this sandbox"
    else:
        try:
            yield from reader.read(report, asked)
        except Unreadable as error:
            reason = f"what {reader.tool} reported cannot be used: {message_of(str(error), 200)}"
        else:
            return
    yield from (_unknown(part, reason, asked) for part in reader.parts)


def _unknown(part: type[Part], reason: str, asked: Asked) -> Part:
    # What needs no tool is told all the same.
    if part is Dependencies:
        declared = asked.declared
        return Dependencies(
            status=Answer.UNKNOWN, reason=reason, direct=declared[:MOST_DIRECT], direct_count=len(declared)
        )
    return part(status=Answer.UNKNOWN, reason=reason)


def _with_versions(analysis: Analysis) -> Analysis:
    """Some audits name no version: it is the installed one, where there is only one."""
    if analysis.vulnerabilities is None or analysis.dependencies is None:
        return analysis
    installed: dict[str, set[str]] = {}
    for package in analysis.dependencies.locked:
        installed.setdefault(package.name, set()).add(package.version)
    items = tuple(_with_version(one, installed.get(one.package, set())) for one in analysis.vulnerabilities.items)
    return attrs.evolve(analysis, vulnerabilities=attrs.evolve(analysis.vulnerabilities, items=items))


def _with_version(item: Vulnerability, versions: set[str]) -> Vulnerability:
    return attrs.evolve(item, version=next(iter(versions))) if not item.version and len(versions) == 1 else item
