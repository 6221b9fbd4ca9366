"""Files of a project that the planner reads or adds itself: broken manifests, a missing .gitignore."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Cause, Outcome, Verdict
from chef_supervisor.engine.plan import Plan, plan
from tests.unit.engine.samples import BUDGET, TOOLCHAINS, as_bytes, package, planned


def test_a_project_without_gitignore_gets_one_and_its_own_stays() -> None:
    bare = planned(JobType.LINT, package(("oxlint",)))
    own = planned(JobType.LINT, {**package(("oxlint",)), ".gitignore": "mine"})

    assert b"node_modules\n" in bare.run.files[".gitignore"]
    assert own.run.files[".gitignore"] == b"mine"


@pytest.mark.parametrize("content", ["{", "[]", '{"scripts": 3, "dependencies": []}', "[" * 100_000, "\x00"])
def test_a_broken_package_json_is_planned_without_raising(content: str) -> None:
    found = plan(JobType.ANALYZE, Assignment(files=as_bytes({"package.json": content})), TOOLCHAINS, BUDGET)

    assert isinstance(found, Plan | Outcome)


@pytest.mark.parametrize("job_type", [JobType.BUILD, JobType.TEST, JobType.LINT])
@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_project_whose_package_json_cannot_be_read_fails_and_says_why(content: str, job_type: JobType) -> None:
    found = plan(job_type, Assignment(files=as_bytes({"package.json": content, "src/main.ts": ""})), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert (found.status, found.result.verdict) == (JobStatus.FAILED, Verdict.FAILED)
    assert found.result.cause is Cause.INSTALL_FAILED
    assert "package.json cannot be read" in found.result.message


@pytest.mark.parametrize("content", ["a = " + "[" * 5000, "=", "a = 1\n" * 60_000, "\udcff"])
def test_a_broken_pyproject_is_a_warning(content: str) -> None:
    files = {"pyproject.toml": content.encode("utf-8", "surrogateescape"), "a.py": b"", "test_a.py": b""}

    found = plan(JobType.TEST, Assignment(files=files), TOOLCHAINS, BUDGET)

    assert isinstance(found, Plan)
    assert any("pyproject.toml cannot be read" in warning for warning in found.warnings)
