"""F12, F36 and the promise G5: supervisors and Redis stand still for longer than a lease, and go on."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import docker
import pytest

from tests.kit import seams
from tests.kit.deployment import Deployment
from tests.kit.docker_engine import is_removed, require_docker
from tests.kit.fault import Deed
from tests.kit.faulty_service import faulty
from tests.kit.invariants import container_of
from tests.kit.service import Service, told

# Of the deployment's short leases: two of them have passed.
TWO_LEASES_S: Final = 6.0
# Promised: 1 s from the moment that the supervisor hears of it.
DEAD_S: Final = 15
ENDLESS: Final = {"package.json": json.dumps({"scripts": {"build": "node -e 'setInterval(() => {}, 1000)'"}})}


@contextmanager
def standing_still(service: Service) -> Iterator[None]:
    service.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        service.process.send_signal(signal.SIGCONT)


def test_f12_a_supervisor_that_stood_still_drops_the_job_that_another_has_taken(deployment: Deployment) -> None:
    first = deployment.holding("a", MAX_CONCURRENT_WORKERS="1")
    job_id = deployment.submit(first)
    first.wait_for_event("job.processing", job_id=job_id)
    second = deployment.serve("b")

    with standing_still(first):
        # Its lease must run out first.
        job = second.result_of(job_id)
    first.wait_for_event("job.fenced", job_id=job_id)

    # The slot is free again, though the box would never have ended by itself.
    later = deployment.submit(first)
    deployment.release()
    assert first.result_of(later)["status"] == "completed"
    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    assert deployment.violations() == []


@pytest.mark.docker
def test_f12_the_container_of_the_run_that_was_lost_is_killed(docker_deployment: Deployment) -> None:
    first = docker_deployment.serve("a")
    job_id = docker_deployment.submit(first, files=ENDLESS)
    first.events_of(job_id, until=lambda event: event["progress"] > 0)
    second = docker_deployment.serve("b")
    client = docker.DockerClient(base_url=require_docker())
    try:
        lost = client.containers.get(container_of(require_docker(), job_id))
        with standing_still(first):
            second.wait_for_event("job.processing", job_id=job_id)
        # The second run goes on: neither has a network, and one of them counts.
        is_removed(lost, DEAD_S)
    finally:
        client.close()

    assert docker_deployment.violations(over=False) == []
    with second.client() as api:
        job = api.delete(f"/api/jobs/{job_id}").json()
    assert (job["status"], job["runs"]) == ("cancelled", 2), told(job)


@pytest.mark.parametrize(
    ("stall_s", "lease"),
    [
        (5.0, {}),
        pytest.param(40.0, {"CHEF_QUEUE_LEASE_S": "10", "CHEF_QUEUE_RENEW_S": "3"}, marks=pytest.mark.slow),
    ],
    ids=["5 s", "40 s"],
)
def test_f36_a_loop_that_stands_still_for_longer_than_a_lease_loses_no_job(
    deployment: Deployment, stall_s: float, lease: dict[str, str]
) -> None:
    # It looks for leases that ran out all the time.
    deployment.bystander(**lease)
    stalled = deployment.serve(
        "a",
        module=faulty(seams.MID_RUN, Deed.STALL, stall_s=stall_s),
        MAX_CONCURRENT_WORKERS="1",
        # A request that waits in there has waited for too long when the loop goes on.
        CHEF_REDIS_REQUEST_TIMEOUT_S="60",
        **lease,
    )
    began = time.monotonic()
    job_id = deployment.submit(stalled)

    job = stalled.result_of(job_id)

    deployment.release()
    took_s = time.monotonic() - began
    assert took_s >= stall_s
    assert (job["status"], job["runs"]) == ("completed", 1), told(job)
    stalled.results_of(deployment.accepted)
    assert deployment.violations() == []


@pytest.mark.slow
def test_f36_a_loop_that_is_as_good_as_dead_loses_its_job_and_the_outcome_is_still_one(deployment: Deployment) -> None:
    other = deployment.bystander()
    # Once: the next run is not held up.
    fault = faulty(seams.MID_RUN, Deed.STALL, stall_s=90.0, once=deployment.folder / "struck")
    stalled = deployment.serve("a", module=fault, MAX_CONCURRENT_WORKERS="1")
    job_id = deployment.submit(stalled)
    deployment.release()

    job = other.result_of(job_id)

    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    stalled.wait_for_event("job.fenced", job_id=job_id)
    assert deployment.violations() == []


@pytest.mark.parametrize("away", ["killed", pytest.param("hung", marks=pytest.mark.slow)])
def test_g5_of_a_hundred_running_jobs_none_is_run_again_because_redis_was_away(
    deployment: Deployment, away: str
) -> None:
    # It looks for leases that ran out all the time.
    deployment.bystander()
    service = deployment.holding("a", MAX_CONCURRENT_WORKERS="100")
    for job_id in deployment.submit_many(service, 100):
        service.wait_for_event("job.processing", job_id=job_id)

    deployment.redis.kill() if away == "killed" else deployment.redis.pause()
    # The fault itself, and nothing that anybody waits for.
    time.sleep(TWO_LEASES_S)
    deployment.redis.start() if away == "killed" else deployment.redis.resume()
    # Time for whoever would take them away, too: a lease, and then some.
    time.sleep(TWO_LEASES_S)
    deployment.release()

    jobs = service.results_of(deployment.accepted)
    assert {(job["status"], job["runs"]) for job in jobs} == {("completed", 1)}
    assert deployment.violations() == []
