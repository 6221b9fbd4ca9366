"""F33 and F34: bugs and bad luck inside a supervisor; neither takes other jobs along."""

from __future__ import annotations

import os
from typing import Final

import pytest

from tests.kit import seams
from tests.kit.deployment import Deployment
from tests.kit.fault import EXIT_CODE, Deed
from tests.kit.faulty_service import faulty
from tests.kit.service import STOP_S, told

# As the service is shipped: three may be ruined, the fourth is the last.
MOST_RUNS: Final = 4
# Of the actors that every worker has.
REST: Final = ("pool", "janitor", "courier", "lease_keeper", "watchdog")


def test_f33_a_job_that_kills_its_supervisor_in_every_run_ends_as_poisoned_and_others_run(
    deployment: Deployment,
) -> None:
    poison = faulty(seams.IN_RUN, Deed.EXIT, only="poison")
    inlet = deployment.serve("inlet", CHEF_ROLE="api")
    job_id = deployment.submit(inlet, tenant="poison")
    codes = [deployment.serve(module=poison, ready="service.settings").process.wait(STOP_S)]
    # They run beside it from now on: three ruined runs, if it comes to that, end no job.
    others = [deployment.submit(inlet, tenant=f"tenant-{number}") for number in range(5)]
    while len(codes) < MOST_RUNS:
        codes.append(deployment.serve(module=poison, ready="service.settings").process.wait(STOP_S))

    last = deployment.serve(module=poison)
    job = last.result_of(job_id)

    assert codes == [EXIT_CODE] * MOST_RUNS
    assert (job["status"], job["cause"], job["runs"]) == ("failed", "poisoned", MOST_RUNS), told(job)
    # Every run has its line in the story.
    assert [line for line in range(1, MOST_RUNS + 1) if f"run {line}," not in told(job)] == []
    assert {last.result_of(other)["status"] for other in others} == {"completed"}
    assert deployment.violations() == []


@pytest.mark.parametrize(
    "actor", ["dispatcher", "reaper", *(pytest.param(name, marks=pytest.mark.slow) for name in REST)]
)
def test_f34_an_actor_that_can_never_start_ends_the_process_and_its_jobs_wait_for_another(
    deployment: Deployment, actor: str
) -> None:
    inlet = deployment.serve("inlet", CHEF_ROLE="api")
    job_id = deployment.submit(inlet)

    broken = deployment.serve(module=faulty(f"{seams.START_OF}{actor}", Deed.RAISE), ready="service.failed")
    code = broken.process.wait(STOP_S)

    # So that whoever started it starts it again, or tells somebody.
    assert code == os.EX_SOFTWARE
    assert deployment.serve("b").result_of(job_id)["status"] == "completed"
    assert deployment.violations() == []


@pytest.mark.slow
def test_f34_a_runner_that_can_never_start_ends_its_job_after_some_tries(deployment: Deployment) -> None:
    # Nobody starts it again: its job is claimed again when the lease is over, so often and no more.
    service = deployment.serve(module=faulty(f"{seams.START_OF}runner", Deed.RAISE))
    job_id = deployment.submit(service)

    job = service.result_of(job_id)

    assert (job["status"], job["cause"], job["runs"]) == ("failed", "poisoned", MOST_RUNS), told(job)
    assert deployment.violations() == []
