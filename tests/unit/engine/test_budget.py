"""What a job may use: the service's own limits, and those that the job asks for."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobOptions, JobType
from chef_supervisor.engine.plan import Budget, Plan, plan
from tests.unit.engine.samples import TOOLCHAINS, as_bytes, package

SERVICE = Budget(steps_timeout_s=300, install_timeout_s=120, ceiling_s=1800)


def planned(budget: Budget) -> Plan:
    found = plan(JobType.TEST, Assignment(files=as_bytes(package(("left-pad",), test="true"))), TOOLCHAINS, budget)
    assert isinstance(found, Plan)
    return found


def test_a_job_that_asks_for_nothing_has_the_times_of_the_service() -> None:
    assert SERVICE.asked(JobOptions()) == SERVICE


@pytest.mark.parametrize(
    ("timeout_ms", "allowed_s"),
    [
        pytest.param(1_500, 1.5, id="less than the service gives"),
        pytest.param(900_000, 900, id="more than the service gives"),
        pytest.param(9_000_000, 1800, id="more than anybody gets"),
    ],
)
def test_a_job_gets_the_time_it_asks_for_up_to_the_ceiling(timeout_ms: int, allowed_s: float) -> None:
    found = planned(SERVICE.asked(JobOptions(timeout_ms=timeout_ms)))

    assert found.run.timeout_s == allowed_s
    assert {step.timeout_s for step in found.run.steps} == {allowed_s}


def test_each_step_may_take_all_of_the_time_where_nothing_is_said() -> None:
    assert {step.timeout_s for step in planned(SERVICE).run.steps} == {300}


def test_each_step_has_the_time_that_the_job_asks_for_but_never_more_than_all_together() -> None:
    shorter = planned(SERVICE.asked(JobOptions(step_timeout_ms=2_000)))
    longer = planned(SERVICE.asked(JobOptions(timeout_ms=5_000, step_timeout_ms=60_000)))

    assert (shorter.run.timeout_s, {step.timeout_s for step in shorter.run.steps}) == (300, {2})
    assert (longer.run.timeout_s, {step.timeout_s for step in longer.run.steps}) == (5, {5})


def test_an_install_keeps_its_own_time() -> None:
    found = planned(SERVICE.asked(JobOptions(timeout_ms=1_000, step_timeout_ms=500)))

    assert found.install is not None
    assert found.install.work.timeout_s == 120
    assert {step.timeout_s for step in found.install.work.steps} == {120}
