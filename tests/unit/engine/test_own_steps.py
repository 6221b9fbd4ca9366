"""Steps, artifacts and variables that a job names itself."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.job import JobType
from tests.unit.engine.samples import package, planned

STEPS = (OwnStep(name="all", run="make && echo $HOME"), OwnStep(name="one", run=("node", "a b.js")))


@pytest.mark.parametrize("job_type", JobType)
def test_own_steps_take_the_place_of_all_others(job_type: JobType) -> None:
    files = {**package(("vite",), build="vite build", lint="eslint ."), "a.test.ts": ""}

    found = planned(job_type, files, Assignment(steps=STEPS))

    assert [(step.name, step.argv) for step in found.run.steps] == [
        ("all", ("sh", "-c", "make && echo $HOME")),
        ("one", ("node", "a b.js")),
    ]
    assert found.run.reports == ()
    assert found.analysis is None
    assert "tsc" in found.output_readers


def test_own_steps_have_the_dependencies_and_what_they_bring_on_the_path() -> None:
    node = planned(JobType.BUILD, package(("vite",)), Assignment(steps=STEPS))
    python = planned(JobType.BUILD, {"requirements.txt": "attrs"}, Assignment(steps=STEPS))

    assert node.install is not None
    assert python.install is not None
    assert (node.run.links_from, node.run.env["PATH"]) == ("{deps}", "/workspace/node_modules/.bin:$PATH")
    assert python.run.env["PATH"] == "{deps}/venv/bin:$PATH"


def test_artifacts_are_those_that_are_asked_for_or_else_the_types() -> None:
    asked = planned(JobType.BUILD, package(("vite",)), Assignment(steps=STEPS, artifacts=("report.html",)))
    usual = planned(JobType.BUILD, package(("vite",)), Assignment(steps=STEPS))
    without_steps = planned(JobType.BUILD, package(("vite",)), Assignment(artifacts=("x/**",)))

    assert asked.run.artifact_globs == ("report.html",)
    assert "dist/**" in usual.run.artifact_globs
    assert without_steps.run.artifact_globs == ("x/**",)


def test_own_variables_reach_every_step_but_never_stand_for_ours() -> None:
    env = {"MODE": "fast", "CI": "no", "PATH": "/evil", "NODE_OPTIONS": "--require ./x.js", "NPM_TOKEN": "t"}

    found = planned(JobType.BUILD, package(("vite",)), Assignment(env=env))

    assert found.run.env["MODE"] == "fast"
    assert (found.run.env["CI"], found.run.env["PATH"]) == ("1", "/workspace/node_modules/.bin:$PATH")
    assert found.run.env["NODE_OPTIONS"] == "--require ./x.js"
    assert found.install is not None
    assert found.install.work.env["NPM_TOKEN"] == "t"
    assert "NODE_OPTIONS" not in found.install.work.env
