"""What our own linter finds in a project that has none."""

from __future__ import annotations

import json

from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Outcome, Severity, Verdict
from chef_supervisor.engine.outcome import outcome_of
from chef_supervisor.engine.record import Record
from tests.unit.engine.samples import box, planned


def found_by_ruff(code: str | None) -> bytes:
    place = {"row": 2, "column": 3}
    return json.dumps([{"code": code, "message": "told", "filename": "a.py", "location": place}]).encode()


def linted(code: str | None, exits: tuple[int, int]) -> Outcome:
    plan = planned(JobType.LINT, {"a.py": ""})
    record = Record(plan)
    for event in box(exits=exits, reports={".chef/ruff.json": found_by_ruff(code)}):
        record.add(event)
    return outcome_of(plan, record)


def test_what_our_rules_find_is_a_warning() -> None:
    found = linted("F401", (0, 0))

    assert (found.status, found.result.verdict) == (JobStatus.COMPLETED, Verdict.PASSED)
    assert [(one.code, one.severity) for one in found.result.diagnostics] == [("F401", Severity.WARNING)]


def test_what_cannot_be_read_is_an_error_and_fails() -> None:
    found = linted(None, (0, 1))

    assert (found.status, found.result.verdict) == (JobStatus.FAILED, Verdict.FAILED)
    assert [one.severity for one in found.result.diagnostics] == [Severity.ERROR]


def test_the_result_names_its_toolchain() -> None:
    assert linted("F401", (0, 0)).result.toolchain == "pip"
