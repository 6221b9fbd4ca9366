"""From a job's files to the work of its boxes, or to its outcome where there is nothing to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.files import RESERVED, ProjectFiles
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Cause, Outcome
from chef_supervisor.domain.toolchain import Skip, StepTemplate, Toolchain, Way
from chef_supervisor.domain.work import Work
from chef_supervisor.engine.analysis.planning import AnalysisPlan, analysis_plan
from chef_supervisor.engine.analysis.without_tools import analyzed_without_tools
from chef_supervisor.engine.detection import detected
from chef_supervisor.engine.install import DEPS, InstallPlan, install_plan
from chef_supervisor.engine.no_work import no_toolchain, skipped, unreadable
from chef_supervisor.engine.notes import MODULES, notes_of
from chef_supervisor.engine.own_steps import own_steps
from chef_supervisor.engine.project import WORKSPACE, Project
from chef_supervisor.engine.steps import Budget, PlannedStep, Steps

__all__ = ["Budget", "InstallPlan", "Plan", "plan"]

_NOTHING: Final = {
    JobType.BUILD: Skip(cause=Cause.NO_SCRIPT, message="There is nothing to build."),
    JobType.TEST: Skip(cause=Cause.NO_TESTS, message="There are no tests."),
    JobType.LINT: Skip(cause=Cause.NO_SCRIPT, message="There is no linter."),
    JobType.ANALYZE: Skip(cause=Cause.NO_SCRIPT, message="There is nothing to check."),
}
# A way has steps or is skipped; those of a job's own are made elsewhere.
_STANDS_FOR_OWN: Final = (StepTemplate(name="own", run=("true",)),)


@attrs.frozen(kw_only=True)
class Plan:
    """
    What is done for a job and how its results are read.

    `steps` go with `run.steps`, one for one; `output_readers` are those of what the steps print, by name;
    `analysis` is None except for analyze.
    """

    job_type: JobType
    toolchain: str
    install: InstallPlan | None
    run: Work
    steps: tuple[PlannedStep, ...]
    output_readers: tuple[str, ...]
    output_bytes: int
    analysis: AnalysisPlan | None = None
    warnings: tuple[str, ...] = ()


def plan(job_type: JobType, asked: Assignment, toolchains: Sequence[Toolchain], budget: Budget) -> Plan | Outcome:
    """Returns: the work, or the outcome at once: no toolchain, or nothing to do. Never raises, whatever the files."""
    found = detected(asked, toolchains)
    if found is None:
        return no_toolchain(toolchains)
    toolchain, project = found
    way = _way(job_type, asked, toolchain, project)
    if project.manifest.fault and (way.skip is not None or not way.installs):
        return unreadable(project.manifest.fault, toolchain.name, notes_of(job_type, toolchain, project))
    if way.skip is not None and job_type is JobType.ANALYZE:
        return analyzed_without_tools(way.skip, toolchain.name, project, notes_of(job_type, toolchain, project))
    if way.skip is not None:
        return skipped(way.skip, toolchain.name, notes_of(job_type, toolchain, project))
    install = install_plan(toolchain, project, budget, asked.env) if way.installs else None
    steps = Steps(toolchain, project, installed=install is not None, variables=frozenset(asked.env))
    planned = own_steps(asked, budget) or steps.of(way, budget.each_step_s)
    if not planned:
        return skipped(_NOTHING[job_type], toolchain.name, notes_of(job_type, toolchain, project))
    analyzes = job_type is JobType.ANALYZE and not asked.steps
    return Plan(
        job_type=job_type,
        toolchain=toolchain.name,
        install=install,
        run=_run(steps, planned, way.artifacts, asked, budget),
        steps=planned,
        output_readers=toolchain.output_readers,
        output_bytes=budget.output_bytes,
        analysis=analysis_plan(steps, planned, way.audit, install, budget) if analyzes else None,
        warnings=notes_of(job_type, toolchain, project),
    )


def _way(job_type: JobType, asked: Assignment, toolchain: Toolchain, project: Project) -> Way:
    ways = toolchain.jobs.get(job_type, ())
    if asked.steps:
        # What such a job leaves behind is most likely what others of its type leave.
        artifacts = next((way.artifacts for way in ways if way.artifacts), ())
        return Way(steps=_STANDS_FOR_OWN, artifacts=asked.artifacts or artifacts)
    way = next((way for way in ways if project.holds(way.when)), Way(skip=_NOTHING[job_type]))
    return attrs.evolve(way, artifacts=asked.artifacts or way.artifacts)


def _run(
    steps: Steps, planned: tuple[PlannedStep, ...], artifacts: tuple[str, ...], asked: Assignment, budget: Budget
) -> Work:
    toolchain = steps.toolchain
    return Work(
        files=_workspace_files(toolchain, steps.project.files),
        steps=tuple(one.step for one in planned),
        env={**asked.env, **steps.env(toolchain.env)},
        timeout_s=budget.steps_timeout_s,
        root=WORKSPACE,
        reports=tuple(path for one in planned for path in one.reports),
        artifact_globs=artifacts,
        links_from=DEPS if steps.installed and toolchain.install.links else None,
        step_output_bytes=budget.output_bytes,
        most_output_bytes=budget.most_output_bytes,
    )


def _workspace_files(toolchain: Toolchain, files: ProjectFiles) -> ProjectFiles:
    # The folder of reports has to be there: some tools do not make it.
    ours = {f"{RESERVED}/keep": b"", **{path: text.encode() for path, text in toolchain.files.items()}}
    return {**ours, **{path: content for path, content in files.items() if not path.startswith(MODULES)}}
