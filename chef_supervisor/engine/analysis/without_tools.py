"""An analysis for which nothing is run: what the files alone tell is an answer, too."""

from __future__ import annotations

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.toolchain import Skip
from chef_supervisor.engine.analysis.asked import asked_of
from chef_supervisor.engine.analysis.assembling import analysis_of
from chef_supervisor.engine.analysis.telling import lines_of
from chef_supervisor.engine.project import Project
from chef_supervisor.engine.summary import clip


def analyzed_without_tools(skip: Skip, toolchain: str, project: Project, warnings: tuple[str, ...]) -> Outcome:
    """Returns: completed and passed, with the reason why no tool was started as its message."""
    analysis = analysis_of(asked_of(project.files, project.kind), {}, {})
    result = Result(
        verdict=Verdict.PASSED,
        message=skip.message,
        summary=clip("\n".join([f"passed: {skip.message}", *lines_of(analysis)])),
        toolchain=toolchain,
        warnings=warnings,
        analysis=analysis,
    )
    return Outcome(status=JobStatus.COMPLETED, result=result)
