"""Which boxes an analysis needs, and what of their reports counts."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Outcome, Verdict
from chef_supervisor.domain.work import ReportFile
from chef_supervisor.engine.plan import Plan, plan
from chef_supervisor.engine.record import Record
from tests.kit import sample_projects
from tests.unit.engine.samples import BUDGET, TOOLCHAINS, as_bytes, package, planned


def test_an_audit_sees_what_the_install_sees_and_nothing_else() -> None:
    found = planned(JobType.ANALYZE, sample_projects.load("web"))

    assert found.analysis is not None
    assert found.analysis.audit is not None
    assert set(found.analysis.audit.files) == {".chef/keep", "package.json", "package-lock.json"}
    assert [" ".join(step.argv[3:]) for step in found.analysis.audit.steps] == [
        "audit npm audit --json --package-lock-only"
    ]


@pytest.mark.parametrize("name", ["web", "python"])
def test_an_audit_knows_of_no_place_of_dependencies(name: str) -> None:
    found = planned(JobType.ANALYZE, {**sample_projects.load(name), "requirements.txt": "attrs\n"})

    assert found.analysis is not None
    assert found.analysis.audit is not None
    assert not any("{deps}" in value for value in found.analysis.audit.env.values())


def test_without_a_lock_file_the_audit_makes_one_first() -> None:
    found = planned(JobType.ANALYZE, package(("left-pad",)))

    assert found.analysis is not None
    assert found.analysis.audit is not None
    assert [step.name for step in found.analysis.audit.steps] == ["lock", "audit"]


@pytest.mark.parametrize("files", [package(), {"a.py": "import os\n"}])
def test_where_nothing_is_installed_nothing_is_audited_nor_listed(files: dict[str, str]) -> None:
    found = planned(JobType.ANALYZE, files)

    assert found.analysis is not None
    assert found.analysis.audit is None
    assert ".chef/audit.json" not in found.analysis.readers
    assert "list packages" not in [step.name for step in found.run.steps]


def test_every_report_has_its_reader_those_of_the_audit_too() -> None:
    found = planned(JobType.ANALYZE, sample_projects.load("web"))

    assert found.analysis is not None
    assert found.analysis.readers == {
        ".chef/packages.json": "npm_packages",
        ".chef/knip.json": "knip",
        ".chef/bundle.json": "bundle",
        ".chef/audit.json": "npm_audit",
    }


def test_the_type_check_and_the_bundle_are_left_out_where_they_have_no_tool() -> None:
    found = planned(JobType.ANALYZE, package(("left-pad",)))

    assert [step.name for step in found.run.steps] == ["list packages", "compare imports"]


def test_a_job_with_steps_of_its_own_is_no_analysis() -> None:
    asked = Assignment(files=as_bytes(package()), steps=(OwnStep(name="mine", run="true"),))

    found = plan(JobType.ANALYZE, asked, TOOLCHAINS, BUDGET)

    assert isinstance(found, Plan)
    assert found.analysis is None


def test_a_site_of_plain_files_is_analyzed_without_running_anything() -> None:
    found = plan(JobType.ANALYZE, Assignment(files=as_bytes({"index.html": "<p>"})), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert found.result.verdict is Verdict.PASSED
    assert found.result.analysis is not None
    assert found.result.analysis.inventory is not None
    assert found.result.analysis.inventory.files == 1
    assert "HTML: 1 files" in found.result.summary


def test_the_audits_report_is_taken_from_the_audits_box_alone() -> None:
    record = Record(planned(JobType.ANALYZE, sample_projects.load("web")))

    record.add(ReportFile(".chef/audit.json", b"forged"))
    record.add_audited(ReportFile(".chef/knip.json", b"forged"))
    record.add_audited(ReportFile(".chef/audit.json", b"true"))

    assert record.reports == {".chef/audit.json": b"true"}
