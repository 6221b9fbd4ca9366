"""A real web project goes in over HTTP and comes back built, tested and linted, in every sandbox."""

from __future__ import annotations

import pytest

from tests.kit import sample_projects
from tests.kit.service import Service, told


@pytest.fixture(scope="module")
def jobs(service: Service) -> dict[str, str]:
    """Returns: the ids of jobs by what they are; all are queued at once, for their installs mostly wait."""
    web = sample_projects.load("web")
    asked = {
        "build": ("build", web),
        "test": ("test", web),
        "lint": ("lint", web),
        "analyze": ("analyze", web),
        "type error": ("build", sample_projects.with_type_error(web)),
        "failing test": ("test", sample_projects.with_failing_test(web)),
        "no tests": ("test", sample_projects.without_tests(web)),
        "python": ("test", sample_projects.load("python")),
        # As in the README.
        "one file": ("test", {"test_sum.py": "def test_sum():\n    assert 1 + 1 == 2\n"}),
    }
    return {name: service.submit(job_type, files) for name, (job_type, files) in asked.items()}


def test_a_build_goes_its_way_and_hands_back_its_artifacts(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["build"])

    assert (job["status"], job["result"]["verdict"], job["progress"]) == ("completed", "passed", 100), told(job)
    assert "dist/index.html" in {artifact["path"] for artifact in job["result"]["artifacts"]}
    assert {step["status"] for step in job["result"]["steps"]} == {"passed"}


def test_progress_rises_while_the_job_runs_and_status_goes_one_way(service: Service, jobs: dict[str, str]) -> None:
    events = service.events_of(jobs["build"])

    statuses = list(dict.fromkeys(event["status"] for event in events))
    progress = [event["progress"] for event in events]
    assert statuses == ["pending", "processing", "completed"]
    assert progress == sorted(progress)
    assert any(0 < percent < 100 for percent in progress)


def test_tests_are_counted(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["test"])

    assert (job["status"], job["result"]["verdict"]) == ("completed", "passed"), told(job)
    assert job["result"]["tests"]["passed"] > 0
    assert job["result"]["tests"]["failed"] == 0


def test_the_linter_has_nothing_to_say(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["lint"])

    assert (job["status"], job["result"]["verdict"]) == ("completed", "passed"), told(job)


def test_an_analysis_tells_what_is_in_the_project(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["analyze"])

    assert job["status"] == "completed", told(job)
    assert "TypeScript" in job["result"]["summary"]


def test_a_type_error_fails_the_build_with_the_compilers_message(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["type error"])

    assert (job["status"], job["cause"], job["result"]["verdict"]) == ("failed", "exit", "failed"), told(job)
    found = [diagnostic for diagnostic in job["result"]["diagnostics"] if diagnostic["tool"] == "tsc"]
    assert found, job["result"]
    assert found[0]["file"].startswith("src/")
    assert found[0]["code"].startswith("TS")
    assert found[0]["line"] > 0


def test_a_failing_test_fails_the_job_and_is_named(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["failing test"])

    assert (job["status"], job["cause"], job["result"]["verdict"]) == ("failed", "exit", "failed"), told(job)
    failed = [case for case in job["result"]["tests"]["cases"] if case["status"] == "failed"]
    assert failed, job["result"]
    assert failed[0]["name"] in job["result"]["summary"]


def test_a_project_without_tests_is_skipped(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["no tests"])

    assert (job["status"], job["cause"], job["result"]["verdict"]) == ("completed", "no_tests", "skipped"), told(job)


def test_a_python_project_is_tested(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["python"])

    assert (job["status"], job["result"]["verdict"]) == ("completed", "passed"), told(job)
    assert job["result"]["tests"]["passed"] > 0


def test_a_single_file_of_tests_is_a_project(service: Service, jobs: dict[str, str]) -> None:
    job = service.result_of(jobs["one file"])

    assert (job["status"], job["result"]["verdict"]) == ("completed", "passed"), told(job)
    assert job["result"]["tests"]["passed"] == 1


def test_every_change_of_state_is_logged_once(service: Service) -> None:
    job_id = service.submit("lint", {"README.md": "nothing to run here"})

    service.result_of(job_id)

    service.wait_for_event("job.failed", job_id=job_id)
    changes = [record["event"] for record in service.records if record.get("job_id") == job_id]
    assert changes == ["job.pending", "job.processing", "job.failed"]


def test_the_same_work_again_is_recalled_with_its_artifacts(service: Service) -> None:
    site = {"index.html": "<!doctype html><p>the same</p>"}
    first = service.result_of(service.submit("build", site, cache=True))

    again = service.result_of(service.submit("build", site, cache=True))

    assert (again["status"], again["result"]["cachedFrom"]) == (first["status"], first["jobId"]), told(again)
    with service.client() as client:
        answer = client.get(f"/api/jobs/{again['jobId']}/artifacts/index.html").raise_for_status()
    assert answer.text == site["index.html"]


def test_another_tenant_is_told_nothing_of_it(service: Service) -> None:
    site = {"index.html": "<!doctype html><p>mine</p>"}
    service.result_of(service.submit("build", site, cache=True))

    other = service.result_of(service.submit("build", site, tenant="another", cache=True))

    assert (other["status"], other["result"]["cachedFrom"]) == ("completed", None), told(other)
