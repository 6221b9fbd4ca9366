"""From a job's files to the work of its boxes, or to its outcome where there is nothing to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from chef_supervisor.domain.files import RESERVED, ProjectFiles
from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.domain.toolchain import Skip, Toolchain, Way
from chef_supervisor.domain.work import Work
from chef_supervisor.engine.globs import matching
from chef_supervisor.engine.inventory import inventory_of
from chef_supervisor.engine.manifests.python import GENERATED, with_packages
from chef_supervisor.engine.project import Project
from chef_supervisor.engine.steps import Budget, PlannedStep, Steps
from chef_supervisor.engine.summary import clip
from chef_supervisor.engine.text import message_of

__all__ = ["Budget", "Plan", "plan"]

WORKSPACE: Final = "/workspace"
DEPS: Final = "/deps"
_NOTHING: Final = {
    JobType.BUILD: Skip(cause=Cause.NO_SCRIPT, message="There is nothing to build."),
    JobType.TEST: Skip(cause=Cause.NO_TESTS, message="There are no tests."),
    JobType.LINT: Skip(cause=Cause.NO_SCRIPT, message="There is no linter."),
    JobType.ANALYZE: Skip(cause=Cause.NO_SCRIPT, message="There is nothing to check."),
}


@attrs.frozen(kw_only=True)
class Plan:
    """
    What is done for a job and how its results are read.

    `steps` go with `run.steps`, one for one; `output_readers` are those of what the steps print, by name;
    `inventory` is empty except for analyze.
    """

    job_type: JobType
    toolchain: str
    install: Work | None
    run: Work
    steps: tuple[PlannedStep, ...]
    output_readers: tuple[str, ...]
    output_bytes: int
    inventory: str = ""
    warnings: tuple[str, ...] = ()


def plan(job_type: JobType, files: ProjectFiles, toolchains: Sequence[Toolchain], budget: Budget) -> Plan | Outcome:
    """Returns: the work, or the outcome at once: no toolchain, or nothing to do. Never raises, whatever the files."""
    found = _detected(files, toolchains)
    if found is None:
        return _no_toolchain(toolchains)
    toolchain, project = found
    ways = toolchain.jobs.get(job_type, ())
    way = next((way for way in ways if project.holds(way.when)), Way(skip=_NOTHING[job_type]))
    if way.skip is not None and project.manifest.fault and job_type is not JobType.ANALYZE:
        return _unreadable(toolchain, project)
    if way.skip is not None:
        return _skipped(job_type, way.skip, toolchain, project)
    return _planned(job_type, toolchain, project, way, budget)


def _detected(files: ProjectFiles, toolchains: Sequence[Toolchain]) -> tuple[Toolchain, Project] | None:
    for toolchain in sorted(toolchains, key=lambda one: one.precedence):
        project = Project(files, toolchain.manifest)
        if project.holds(toolchain.detect):
            return toolchain, project
    return None


def _no_toolchain(toolchains: Sequence[Toolchain]) -> Outcome:
    looked_for = ", ".join(one.looks_for for one in sorted(toolchains, key=lambda one: one.precedence))
    message = f"No toolchain knows this project; looked at its top for {looked_for}."
    result = Result(verdict=Verdict.FAILED, cause=Cause.NO_TOOLCHAIN, message=message, summary=f"failed: {message}")
    return Outcome(status=JobStatus.FAILED, result=result)


def _unreadable(toolchain: Toolchain, project: Project) -> Outcome:
    # Nothing to do was found only because nothing could be read: that is no success.
    message = message_of(f"The dependencies could not be installed: {project.manifest.fault}.", 300)
    result = Result(
        verdict=Verdict.FAILED,
        cause=Cause.INSTALL_FAILED,
        message=message,
        summary=clip(f"failed: {message}"),
        warnings=_warnings(toolchain, project),
    )
    return Outcome(status=JobStatus.FAILED, result=result)


def _skipped(job_type: JobType, skip: Skip, toolchain: Toolchain, project: Project) -> Outcome:
    inventory = inventory_of(project) if job_type is JobType.ANALYZE else ""
    # An inventory is what was asked for: with it the job did something.
    verdict = Verdict.PASSED if inventory else Verdict.SKIPPED
    result = Result(
        verdict=verdict,
        cause=None if inventory else skip.cause,
        message=skip.message,
        summary=clip(f"{verdict}: {skip.message}\n{inventory}".strip()),
        warnings=_warnings(toolchain, project),
    )
    return Outcome(status=JobStatus.COMPLETED, result=result)


def _planned(job_type: JobType, toolchain: Toolchain, project: Project, way: Way, budget: Budget) -> Plan | Outcome:
    install = _install(toolchain, project, budget) if way.installs else None
    steps = Steps(toolchain, project, installed=install is not None)
    planned = steps.of(way, budget.each_step_s)
    if not planned:
        return _skipped(job_type, _NOTHING[job_type], toolchain, project)
    return Plan(
        job_type=job_type,
        toolchain=toolchain.name,
        install=install,
        run=_run(steps, planned, way, budget),
        steps=planned,
        output_readers=toolchain.output_readers,
        output_bytes=budget.output_bytes,
        inventory=inventory_of(project) if job_type is JobType.ANALYZE else "",
        warnings=_warnings(toolchain, project),
    )


def _install(toolchain: Toolchain, project: Project, budget: Budget) -> Work | None:
    added = [
        package
        for addition in toolchain.install.additions
        if project.holds(addition.when)
        for package in addition.packages
    ]
    if not project.manifest.installs and not added:
        return None
    way = next((way for way in toolchain.install.ways if project.holds(way.when)), None)
    if way is None or way.skip is not None:
        return None
    steps = Steps(toolchain, project, installed=True, words={"added": tuple(added)})
    return Work(
        files=_seen_by_install(toolchain, project, added),
        steps=tuple(planned.step for planned in steps.of(way, budget.install_timeout_s)),
        env={**toolchain.env, **toolchain.install.env},
        timeout_s=budget.install_timeout_s,
        root=DEPS,
        output_bytes=budget.output_bytes,
    )


def _seen_by_install(toolchain: Toolchain, project: Project, added: list[str]) -> ProjectFiles:
    # What the manifests were rewritten to stands for what was sent.
    given = {**project.files, **project.manifest.files}
    seen = {path: given[path] for path in matching(toolchain.install.sees, given)}
    if GENERATED in seen:
        seen[GENERATED] = with_packages(seen[GENERATED], added)
    return seen


def _run(steps: Steps, planned: tuple[PlannedStep, ...], way: Way, budget: Budget) -> Work:
    toolchain = steps.toolchain
    return Work(
        files=_workspace_files(toolchain, steps.project.files),
        steps=tuple(one.step for one in planned),
        env=dict(toolchain.env),
        timeout_s=budget.steps_timeout_s,
        root=WORKSPACE,
        reports=tuple(path for one in planned for path in one.reports),
        artifact_globs=way.artifacts,
        links_from=DEPS if steps.installed and toolchain.install.links else None,
        output_bytes=budget.output_bytes,
    )


def _workspace_files(toolchain: Toolchain, files: ProjectFiles) -> ProjectFiles:
    # The folder of reports has to be there: some tools do not make it.
    ours = {f"{RESERVED}/keep": b"", **{path: text.encode() for path, text in toolchain.files.items()}}
    return {**ours, **{path: content for path, content in files.items() if not _installed_by_us(path)}}


def _installed_by_us(path: str) -> bool:
    return path.startswith("node_modules/")


def _warnings(toolchain: Toolchain, project: Project) -> tuple[str, ...]:
    notes = [note.text for note in toolchain.notes if project.holds(note.when)]
    if any(map(_installed_by_us, project.files)):
        notes.append("node_modules was sent with the project and not used; dependencies are installed here")
    return tuple(message_of(warning, 300) for warning in (*project.manifest.warnings, *notes))
