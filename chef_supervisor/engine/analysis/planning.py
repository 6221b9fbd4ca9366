"""What an analysis needs besides the steps of its job: a box that asks about vulnerabilities, and who reads what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final

import attrs

from chef_supervisor.domain.files import RESERVED
from chef_supervisor.domain.toolchain import StepTemplate
from chef_supervisor.domain.work import Work
from chef_supervisor.engine.analysis.asked import Asked, asked_of
from chef_supervisor.engine.analysis.readers import ANALYSIS_READERS
from chef_supervisor.engine.install import InstallPlan, at
from chef_supervisor.engine.steps import Budget, PlannedStep, Steps

# A registry that does not answer within this time is taken for silent.
_AUDIT_S: Final = 120.0


@attrs.frozen(kw_only=True)
class AnalysisPlan:
    """
    What is asked and how the answers are read.

    Attributes:
        asked: what the files alone say.
        audit: done in a box of its own with network, where the manifests and lock files are and nothing else; whether it
            fails or is left out matters to nothing but the part `vulnerabilities`. Its root is no place of dependencies:
            it is asked anew for every job, also where what the job needs is installed already.
        readers: report path -> the name of its reader, of the job's steps and of the audit.
    """

    asked: Asked
    audit: Work | None
    readers: Mapping[str, str]


def analysis_plan(
    steps: Steps,
    planned: Iterable[PlannedStep],
    audit: tuple[StepTemplate, ...],
    install: InstallPlan | None,
    budget: Budget,
) -> AnalysisPlan:
    """Returns: the plan; where nothing is installed, nothing is audited. `audit`: the templates of that box's steps."""
    timeout_s = min(_AUDIT_S, budget.install_timeout_s)
    audited = steps.made_of(audit, timeout_s) if install is not None else ()
    readers = {path: reader for one in chain(planned, audited) for path, reader in one.reports.items()}
    project = steps.project
    return AnalysisPlan(
        asked=asked_of(project.files, project.kind),
        audit=_audit(audited, install, timeout_s) if install is not None and audited else None,
        readers={path: reader for path, reader in readers.items() if reader in ANALYSIS_READERS},
    )


def _audit(audited: tuple[PlannedStep, ...], install: InstallPlan, timeout_s: float) -> Work:
    work = Work(
        files={f"{RESERVED}/keep": b"", **install.work.files},
        steps=tuple(one.step for one in audited),
        env=install.work.env,
        timeout_s=timeout_s,
        reports=tuple(path for one in audited for path in one.reports),
    )
    return at(work, work.root)
