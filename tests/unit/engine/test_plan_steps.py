"""What of a project is run for each type of job, and when there is nothing to run."""

from __future__ import annotations

import time

import attrs
import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Cause, Outcome, Verdict
from chef_supervisor.domain.toolchain import Each, StepTemplate, Way
from chef_supervisor.engine.plan import Plan, plan
from tests.kit import sample_projects
from tests.unit.engine.samples import BUDGET, BY_NAME, TOOLCHAINS, as_bytes, package, planned

RUNS = [
    ("test", package(test="mocha && echo fine"), ["sh -c mocha && echo fine"]),
    (
        "test",
        package(test="npx mocha test"),
        ["sh -c npx mocha test --reporter json --reporter-option output=.chef/mocha.json"],
    ),
    ("test", package(test="mocha --reporter dot"), ["sh -c mocha --reporter dot"]),
    ("test", package(test="ava"), ["sh -c ava --tap"]),
    ("test", package(test="node --import tsx --test test/*.ts"), ["sh -c node --import tsx --test test/*.ts"]),
    (
        "test",
        package(test="bun test src"),
        ["sh -c bun test src --reporter=junit --reporter-outfile=.chef/bun.xml"],
    ),
    (
        "test",
        {**package(("mocha",)), "test/a.js": ""},
        ["node_modules/.bin/mocha --reporter json --reporter-option output=.chef/mocha.json"],
    ),
    ("test", {**package(("ava",)), "a.test.js": ""}, ["node_modules/.bin/ava --tap"]),
    (
        "test",
        {**package(), "a.test.ts": 'import { test } from "bun:test"'},
        ["bun test --reporter=junit --reporter-outfile=.chef/bun.xml"],
    ),
    (
        "test",
        {**package(("vitest",), test="vitest", pretest="convex dev --once"), "a.test.ts": ""},
        ["node_modules/.bin/vitest --run --reporter=default --reporter=json --outputFile.json=.chef/vitest.json"],
    ),
    (
        "test",
        {**package(test="cross-env A=1 vitest --coverage"), "a.test.ts": ""},
        [
            "sh -c cross-env A=1 vitest --coverage --run --reporter=default --reporter=json --outputFile.json=.chef/vitest.json"
        ],
    ),
    (
        "test",
        {**package(("vitest",), test='echo "Error: no test specified" && exit 1'), "src/a.spec.tsx": ""},
        ["node_modules/.bin/vitest --run --reporter=default --reporter=json --outputFile.json=.chef/vitest.json"],
    ),
    (
        "test",
        {**package(test="jest --watch"), "src/__tests__/a.js": ""},
        ["sh -c jest --watch --ci --watchAll=false --json --outputFile=.chef/jest.json"],
    ),
    (
        "test",
        {**package(), "test/a.js": 'import test from "node:test"'},
        [
            (
                "node --test --test-reporter=spec --test-reporter-destination=stdout"
                " --test-reporter=junit --test-reporter-destination=.chef/node.xml"
            )
        ],
    ),
    (
        "test",
        {**package(test="vitest run"), "vite.config.ts": "test: { include: ['checks/*.ts'] }"},
        ["sh -c vitest run --run --reporter=default --reporter=json --outputFile.json=.chef/vitest.json"],
    ),
    (
        "test",
        {"requirements.txt": "pytest", "test_a.py": ""},
        ["{deps}/venv/bin/python -m pytest --color=no --junitxml=.chef/pytest.xml"],
    ),
    ("test", {"test_a.py": "import unittest"}, ["python3 -m unittest discover -v"]),
    (
        "test",
        {"test_a.py": "import os\ndef test_a(): ..."},
        ["{deps}/venv/bin/python -m pytest --color=no --junitxml=.chef/pytest.xml"],
    ),
]


@pytest.mark.parametrize(("job_type", "files", "commands"), RUNS)
def test_the_steps_of_a_project_are_those_that_answer(
    job_type: str, files: dict[str, str], commands: list[str]
) -> None:
    found = planned(JobType(job_type), files)

    assert commands == [" ".join(step.argv) for step in found.run.steps]


SKIPS = [
    ("build", package(), Cause.NO_SCRIPT),
    ("build", {"pyproject.toml": ""}, Cause.NO_SCRIPT),
    ("test", package(), Cause.NO_TESTS),
    ("test", package(test='echo "Error: no test specified" && exit 1'), Cause.NO_TESTS),
    ("test", package(test="vitest run"), Cause.NO_TESTS),
    ("test", package(("vitest",)), Cause.NO_TESTS),
    ("test", sample_projects.without_tests(sample_projects.load("web")), Cause.NO_TESTS),
    ("test", sample_projects.without_tests(sample_projects.load("python")), Cause.NO_TESTS),
    ("lint", package(), Cause.NO_SCRIPT),
    ("lint", package(("eslint",), lint="convex dev --once"), Cause.NO_SCRIPT),
    ("lint", {"pyproject.toml": ""}, Cause.NO_SCRIPT),
]


@pytest.mark.parametrize(("job_type", "files", "cause"), SKIPS)
def test_nothing_to_do_is_told_before_anything_runs(job_type: str, files: dict[str, str], cause: Cause) -> None:
    found = plan(JobType(job_type), Assignment(files=as_bytes(files)), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert (JobStatus.COMPLETED, Verdict.SKIPPED, cause) == (found.status, found.result.verdict, found.result.cause)
    assert found.result.message in found.result.summary


@pytest.mark.parametrize("files", [{}, {"readme.md": ""}, {"deep/package.json": "{}"}])
def test_a_project_that_no_toolchain_knows_fails_and_says_what_was_looked_for(files: dict[str, str]) -> None:
    found = plan(JobType.BUILD, Assignment(files=as_bytes(files)), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert (found.status, found.result.cause) == (JobStatus.FAILED, Cause.NO_TOOLCHAIN)
    assert "package.json" in found.result.message
    assert "requirements" in found.result.message
    assert "any *.py file (a single one is enough)" in found.result.message


def test_a_single_python_file_at_the_top_is_a_project() -> None:
    at_the_top = plan(JobType.BUILD, Assignment(files=as_bytes({"a.py": ""})), TOOLCHAINS, BUDGET)
    below = plan(JobType.BUILD, Assignment(files=as_bytes({"src/a.py": ""})), TOOLCHAINS, BUDGET)

    assert isinstance(at_the_top, Plan)
    assert isinstance(below, Outcome)
    assert below.result.cause is Cause.NO_TOOLCHAIN


def test_scripts_that_start_each_other_take_no_time_to_speak_of() -> None:
    everything = " ".join(f"s{number}* *{number}" for number in range(400))
    scripts = {f"s{number}": f"npm-run-all {everything}"[:4000] for number in range(400)}
    started = time.perf_counter()

    found = planned(JobType.BUILD, package((), build="npm-run-all s*", **scripts))

    assert [" ".join(step.argv) for step in found.run.steps] == ["sh -c npm-run-all s*"]
    assert time.perf_counter() - started < 1


def test_a_way_whose_steps_all_fall_away_is_skipped() -> None:
    step = StepTemplate(name="check", each=Each.TSCONFIG, run=("tsc", "{each}"))
    toolchain = attrs.evolve(BY_NAME["npm"], jobs={JobType.LINT: (Way(steps=(step,)),)})

    found = plan(JobType.LINT, Assignment(files=as_bytes(package())), [toolchain], BUDGET)

    assert isinstance(found, Outcome)
    assert found.result.cause is Cause.NO_SCRIPT


def test_steps_and_their_readers_go_together() -> None:
    found = planned(JobType.LINT, {"pyproject.toml": "[tool.ruff]", "requirements.txt": "mypy"})

    assert [one.step for one in found.steps] == list(found.run.steps)
    assert found.run.reports == (".chef/ruff.json",)
    assert all(step.keep_going for step in found.run.steps)
    assert attrs.fields_dict(Plan).keys() >= {"install", "run"}


def test_node_is_asked_for_a_report_by_its_environment() -> None:
    found = planned(JobType.TEST, package(test="node --test test/"))

    assert [" ".join(step.argv) for step in found.run.steps] == ["sh -c node --test test/"]
    assert "--test-reporter-destination=.chef/node.xml" in found.run.steps[0].env["NODE_OPTIONS"]
    assert found.run.reports == (".chef/node.xml",)
