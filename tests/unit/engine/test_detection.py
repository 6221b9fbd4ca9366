"""Which toolchain a project is for."""

from __future__ import annotations

import json

import pytest

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Cause, Outcome
from chef_supervisor.engine.plan import Plan, plan
from tests.unit.engine.samples import BUDGET, TOOLCHAINS, as_bytes

BERRY = '# generated\n\n__metadata:\n  version: 8\n\n"a@npm:1":\n'
STEPS = (OwnStep(name="say", run="echo hello"),)


def toolchain_of(files: dict[str, str], **asked: object) -> str:
    found = plan(
        JobType.BUILD,
        Assignment(files=as_bytes(files), steps=STEPS, **asked),  # type: ignore[arg-type]  # whatever a test wants
        TOOLCHAINS,
        BUDGET,
    )
    assert isinstance(found, Plan), found
    return found.toolchain


def package(manager: str = "") -> dict[str, str]:
    return {"package.json": json.dumps({"packageManager": manager} if manager else {})}


@pytest.mark.parametrize(
    ("files", "toolchain"),
    [
        (package(), "npm"),
        ({**package(), "package-lock.json": "{}"}, "npm"),
        ({**package(), "pnpm-lock.yaml": ""}, "pnpm"),
        ({**package(), "yarn.lock": "# yarn lockfile v1\n"}, "yarn"),
        ({**package(), "yarn.lock": BERRY}, "yarn-berry"),
        ({**package(), ".yarnrc.yml": ""}, "yarn-berry"),
        ({**package(), "bun.lock": ""}, "bun"),
        ({**package(), "bun.lockb": ""}, "bun"),
        (package("pnpm@9.1.0+sha512.00"), "pnpm"),
        (package("yarn@1.22.19"), "yarn"),
        (package("yarn@4.1.0"), "yarn-berry"),
        (package("bun@1.1"), "bun"),
        (package("npm@10.0.0"), "npm"),
        (package("cargo@1"), "npm"),
        ({"pyproject.toml": "", "uv.lock": ""}, "uv"),
        ({"uv.lock": "", "a.py": ""}, "pip"),
        ({"pyproject.toml": "[tool.poetry]\nname = 'a'\n"}, "poetry"),
        ({"pyproject.toml": "[project]\nname = 'a'\n", "poetry.lock": ""}, "poetry"),
        ({"pyproject.toml": "[project]\nname = 'a'\n"}, "pip"),
        ({"requirements-dev.txt": ""}, "pip"),
        ({"index.html": ""}, "static"),
        ({**package(), "index.html": ""}, "npm"),
        ({"main.c": ""}, "plain"),
    ],
)
def test_a_project_is_known_by_its_files(files: dict[str, str], toolchain: str) -> None:
    assert toolchain_of(files) == toolchain


@pytest.mark.parametrize(
    ("manager", "locks", "toolchain"),
    [
        ("pnpm@9.0.0", {"package-lock.json": "{}"}, "npm"),
        ("pnpm@9.0.0", {"package-lock.json": "{}", "pnpm-lock.yaml": ""}, "pnpm"),
        ("yarn@4.0.0", {"yarn.lock": "", "pnpm-lock.yaml": ""}, "yarn-berry"),
        ("", {"yarn.lock": "", "pnpm-lock.yaml": "", "package-lock.json": "{}"}, "npm"),
        ("bun@1.0.0", {"yarn.lock": "", "pnpm-lock.yaml": ""}, "pnpm"),
    ],
)
def test_a_lock_file_decides_and_the_named_manager_between_several(
    manager: str, locks: dict[str, str], toolchain: str
) -> None:
    assert toolchain_of({**package(manager), **locks}) == toolchain


def test_a_job_may_name_its_toolchain() -> None:
    assert toolchain_of({**package(), "a.py": ""}, toolchain="pip") == "pip"


def test_a_named_toolchain_that_is_not_there_is_none() -> None:
    found = plan(JobType.BUILD, Assignment(files=as_bytes(package()), toolchain="cargo"), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert found.result.cause is Cause.NO_TOOLCHAIN


def test_only_steps_of_its_own_make_a_project_that_nobody_knows_a_job() -> None:
    found = plan(JobType.BUILD, Assignment(files=as_bytes({"main.c": ""})), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert found.result.cause is Cause.NO_TOOLCHAIN
    assert "package.json, pyproject.toml" in found.result.message
