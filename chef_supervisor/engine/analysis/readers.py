"""Readers of what the tools of an analysis report, by the names that toolchains use. All of it is hostile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from chef_supervisor.domain.analysis import Bundle, Cycles, Dependencies, Part, Usage, Vulnerabilities
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bundle import read_bundle
from chef_supervisor.engine.analysis.cyclonedx import read_cyclonedx
from chef_supervisor.engine.analysis.deptry import read_deptry
from chef_supervisor.engine.analysis.import_graph import read_import_graph
from chef_supervisor.engine.analysis.knip import read_knip
from chef_supervisor.engine.analysis.npm_audit import read_npm_audit
from chef_supervisor.engine.analysis.npm_packages import read_npm_packages
from chef_supervisor.engine.analysis.pip_audit import read_pip_audit


@attrs.frozen(kw_only=True)
class AnalysisReader:
    """
    Makes parts of an analysis of one report.

    Attributes:
        tool: what is named where there is no report.
        parts: what `read` returns one of each.
        read: a report file, whole -> parts; raises Unreadable.
    """

    tool: str
    parts: tuple[type[Part], ...]
    read: Callable[[bytes, Asked], tuple[Part, ...]]


ANALYSIS_READERS: Final[Mapping[str, AnalysisReader]] = {
    "cyclonedx": AnalysisReader(tool="the list of packages", parts=(Dependencies,), read=read_cyclonedx),
    "npm_packages": AnalysisReader(tool="the list of packages", parts=(Dependencies,), read=read_npm_packages),
    "knip": AnalysisReader(tool="knip", parts=(Usage, Cycles), read=read_knip),
    "deptry": AnalysisReader(tool="deptry", parts=(Usage,), read=read_deptry),
    "import_graph": AnalysisReader(tool="ruff", parts=(Cycles,), read=read_import_graph),
    "bundle": AnalysisReader(tool="the bundler", parts=(Bundle,), read=read_bundle),
    "npm_audit": AnalysisReader(tool="the audit", parts=(Vulnerabilities,), read=read_npm_audit),
    "pip_audit": AnalysisReader(tool="the audit", parts=(Vulnerabilities,), read=read_pip_audit),
}
