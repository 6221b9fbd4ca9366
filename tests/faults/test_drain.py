"""F37 to F39: SIGTERM in every state, twice, and while Redis is away. Nothing is lost, and the process ends in time."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import Any, Final

import httpx
import pytest

from tests.kit.asking import all_completed, refused_soon, works_again
from tests.kit.deployment import Deployment, tiny_job
from tests.kit.service import STOP_S, Service

# Promised: the grace of the runners, and ten seconds.
_BEYOND_GRACE_S: Final = 10.0
_GRACE_S: Final = 3.0
_GRACE: Final = {"CHEF_WORKER_GRACE_S": f"{_GRACE_S:g}"}
# A busy machine's allowance.
_ALLOWANCE_S: Final = 10.0


def told_to_stop(service: Service) -> None:
    service.process.send_signal(signal.SIGTERM)
    service.wait_for_event("service.stopping")


def ends_in_time(service: Service, grace_s: float = _GRACE_S) -> int:
    """Returns: the exit code of one that was told to stop just now."""
    return service.process.wait(grace_s + _BEYOND_GRACE_S + _ALLOWANCE_S)


def one_running(deployment: Deployment, service: Service) -> str:
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)
    return job_id


def test_f37_an_idle_service_ends_at_once(deployment: Deployment) -> None:
    """Though its runners could have had ten minutes."""
    service = deployment.serve(CHEF_WORKER_GRACE_S="600")
    works_again(deployment, service)

    told_to_stop(service)

    assert ends_in_time(service, grace_s=0.0) == 0


def test_f37_a_job_that_ends_within_the_grace_is_told(deployment: Deployment) -> None:
    service = deployment.holding(CHEF_WORKER_GRACE_S="60")
    job_id = one_running(deployment, service)
    told_to_stop(service)

    refused_soon(service, "draining")
    with service.client() as client:
        assert client.get(f"/api/jobs/{job_id}").json()["status"] == "processing"
        assert client.get("/api/health").status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert client.get("/api/health/live").status_code == httpx.codes.OK
    deployment.release()

    assert ends_in_time(service, grace_s=0.0) == 0
    service.wait_for_event("job.completed", job_id=job_id)
    assert deployment.violations() == []


def test_f37_a_job_that_outlasts_the_grace_waits_again_without_a_run_less(deployment: Deployment) -> None:
    service = deployment.holding("a", MAX_CONCURRENT_WORKERS="1", **_GRACE)
    job_id = one_running(deployment, service)
    waiting = deployment.submit(service)

    told_to_stop(service)

    assert ends_in_time(service) == 0
    other = deployment.serve("b", CHEF_ROLE="api")
    with other.client() as client:
        states = [client.get(f"/api/jobs/{one}").json() for one in (job_id, waiting)]
    assert [(state["status"], state["runs"]) for state in states] == [("pending", 0)] * 2
    assert [record for record in service.records if record.get("job_id") == waiting][1:] == []


def test_f37_streams_go_on_until_the_last_job_has_ended(deployment: Deployment) -> None:
    service = deployment.holding(CHEF_WORKER_GRACE_S="60")
    job_id = one_running(deployment, service)
    with service.client() as client, client.stream("GET", "/api/events") as answer:
        told_to_stop(service)
        deployment.release()

        told = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]

    assert [event["status"] for event in told if event.get("jobId") == job_id][-1] == "completed"
    assert ends_in_time(service, grace_s=0.0) == 0


def test_f37_of_jobs_that_come_in_just_then_those_that_were_accepted_are_there(deployment: Deployment) -> None:
    service = deployment.serve()
    refusals: list[tuple[int, str]] = []
    enough = threading.Event()

    def submit_until_it_is_gone() -> None:
        with service.client() as client:
            while True:
                try:
                    answer = client.post("/api/jobs", json=tiny_job())
                except httpx.TransportError:
                    return
                note(answer, deployment, refusals)
                if len(deployment.accepted) >= 50:
                    enough.set()

    callers = [threading.Thread(target=submit_until_it_is_gone) for _ in range(8)]
    for caller in callers:
        caller.start()
    assert enough.wait(60)
    service.process.send_signal(signal.SIGTERM)
    code = service.process.wait(STOP_S)
    for caller in callers:
        caller.join(STOP_S)

    assert code == 0
    assert set(refusals) <= {(httpx.codes.SERVICE_UNAVAILABLE, "draining")}
    # Not one was claimed and forgotten: all that is not over waits.
    other = deployment.serve("b")
    all_completed(deployment, other)


def note(answer: httpx.Response, deployment: Deployment, refusals: list[tuple[int, str]]) -> None:
    body: dict[str, Any] = answer.json()
    if answer.status_code == httpx.codes.CREATED:
        deployment.accepted.append(body["jobId"])
    else:
        refusals.append((answer.status_code, body["code"]))


def test_f38_a_second_signal_ends_it_at_once_and_the_next_start_takes_its_job_up(deployment: Deployment) -> None:
    service = deployment.holding("a", CHEF_WORKER_GRACE_S="600")
    job_id = one_running(deployment, service)
    told_to_stop(service)

    service.process.send_signal(signal.SIGTERM)

    assert service.process.wait(STOP_S) == 1
    deployment.release()
    again = deployment.serve("a")
    job = again.result_of(job_id)
    assert (job["status"], job["runs"]) == ("completed", 2)
    assert deployment.violations() == []


def test_f38_killed_in_its_grace_its_job_is_run_by_another(deployment: Deployment) -> None:
    other = deployment.bystander()
    service = deployment.holding("a", CHEF_WORKER_GRACE_S="600")
    job_id = one_running(deployment, service)
    told_to_stop(service)

    service.process.kill()
    service.process.wait(STOP_S)
    deployment.release()

    job = other.result_of(job_id)
    assert (job["status"], job["runs"]) == ("completed", 2)
    assert deployment.violations() == []


@pytest.mark.parametrize("away", ["gone", pytest.param("hung", marks=pytest.mark.slow)])
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "with a job"])
def test_f39_without_redis_it_ends_in_time_and_the_lease_runs_out(
    deployment: Deployment, away: str, *, busy: bool
) -> None:
    service = deployment.holding("a", **_GRACE)
    if busy:
        one_running(deployment, service)
    else:
        works_again_before_holding(service)
    deployment.redis.kill() if away == "gone" else deployment.redis.pause()

    told_to_stop(service)
    began = time.monotonic()
    code = ends_in_time(service)

    assert code == 0
    assert time.monotonic() - began < _GRACE_S + _BEYOND_GRACE_S + _ALLOWANCE_S / 2
    deployment.redis.start() if away == "gone" else deployment.redis.resume()
    deployment.release()
    all_completed(deployment, deployment.serve("b"), runs=2 if busy else 1)


def works_again_before_holding(service: Service) -> None:
    """It has connections to lose."""
    with service.client() as client:
        assert client.get("/api/health").status_code == httpx.codes.OK


def test_f39_an_outcome_that_could_not_be_told_keeps_nobody_from_ending(deployment: Deployment) -> None:
    service = deployment.holding("a", **_GRACE)
    job_id = one_running(deployment, service)
    deployment.redis.kill()
    deployment.release()
    service.wait_for_event("store.unavailable", job_id=job_id)

    told_to_stop(service)

    assert ends_in_time(service) == 0
    deployment.redis.start()
    all_completed(deployment, deployment.serve("b"), runs=2)
