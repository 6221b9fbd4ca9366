"""The steps that a job names itself: they take the place of the toolchain's, whatever the type of the job."""

from __future__ import annotations

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.work import Step
from chef_supervisor.engine.steps import Budget, PlannedStep


def own_steps(asked: Assignment, budget: Budget) -> tuple[PlannedStep, ...]:
    """Returns: its steps; which reports they leave nobody knows, so none are read."""
    return tuple(
        PlannedStep(step=Step(name=step.name, argv=_argv(step), timeout_s=budget.each_step_s), reports={})
        for step in asked.steps
    )


def _argv(step: OwnStep) -> tuple[str, ...]:
    # A shell of the box, for words of whoever the box is for.
    return ("sh", "-c", step.run) if isinstance(step.run, str) else step.run
