"""F1 to F7: a supervisor is killed at each point of a job's way, and started again."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import docker
import httpx
import pytest

from tests.kit import seams
from tests.kit.deployment import TINY, Deployment, tiny_job
from tests.kit.docker_engine import docker_host, require_docker
from tests.kit.docker_faults import eventually
from tests.kit.faulty_service import faulty
from tests.kit.invariants import containers_of
from tests.kit.service import STOP_S, Service, told

BODY: Final = tiny_job()
# Too large for the job's hash, and nothing that could be compressed.
LARGE: Final = {**TINY, "noise.txt": random.Random(1).randbytes(100_000).hex()}
# Promised: 2 s after the restart, of which the start of the process is not ours to promise.
AGAIN_S: Final = 10.0
# Promised: 13 s on another supervisor, as the service is shipped.
ELSEWHERE_S: Final = 26.0
# So that it is not a lease that ran out that gives the job back.
ENDLESS_LEASES: Final = {"CHEF_QUEUE_LEASE_S": "300", "CHEF_QUEUE_RENEW_S": "100"}
SHIPPED: Final = {"CHEF_QUEUE_LEASE_S": "10", "CHEF_QUEUE_RENEW_S": "3", "CHEF_QUEUE_REAP_S": "1"}
# In a box; long enough to be killed while it runs.
SECOND: Final = {"package.json": json.dumps({"scripts": {"build": "node -e 'setTimeout(() => {}, 1000)'"}})}


def post_in_vain(service: Service, body: dict[str, Any], **headers: str) -> None:
    """The supervisor dies before it answers."""
    with service.client() as client, pytest.raises(httpx.TransportError):
        client.post("/api/jobs", json=body, headers=headers)
    assert service.process.wait(STOP_S) != 0


def test_f1_killed_before_the_script_there_is_no_job_and_no_payload_that_stays(deployment: Deployment) -> None:
    service = deployment.serve(module=faulty(seams.BEFORE_SUBMIT))

    post_in_vain(service, {**BODY, "data": {"chatId": "tests", "projectFiles": LARGE}})

    with deployment.redis.client() as client:
        jobs = client.keys("chef:*:job:*")
        payloads: Any = client.keys("chef:*:payload:*")
        lives = [client.pttl(payload) for payload in payloads]
    assert jobs == []
    # It was sent before its job; nobody owns it, so it goes by itself.
    assert len(lives) == 1
    assert all(0 < life <= 60_000 for life in lives)
    assert deployment.violations() == []


def test_f2_killed_before_the_answer_the_same_key_gives_the_same_job(deployment: Deployment, tmp_path: Path) -> None:
    key = {"Idempotency-Key": "f2"}
    service = deployment.serve(module=faulty(seams.AFTER_SUBMIT, once=tmp_path / "struck"))
    post_in_vain(service, BODY, **key)
    with deployment.redis.client() as client:
        [stored] = client.keys("chef:*:job:*")

    again = deployment.serve("a")
    with again.client() as client:
        answers = [client.post("/api/jobs", json=BODY, headers=key) for _ in range(2)]

    [job_id] = {answer.json()["jobId"] for answer in answers}
    deployment.accepted.append(job_id)
    assert {answer.status_code for answer in answers} == {httpx.codes.CREATED}
    assert stored.decode().endswith(job_id)
    assert again.result_of(job_id)["status"] == "completed"
    assert deployment.violations() == []


def run_again_by_itself(
    deployment: Deployment, point: str, files: dict[str, str], **env: str
) -> tuple[dict[str, Any], Service, Callable[[], list[object]]]:
    """
    Kill the supervisor at that point of a job, and start it again as itself.

    Returns: the job when it is over, the supervisor that ended it, and what looks for containers of it.
    """
    struck = deployment.folder / "struck"
    service = deployment.serve(module=faulty(point, once=struck), **ENDLESS_LEASES, **env)
    job_id = deployment.submit(service, files=files)
    service.process.wait(STOP_S)
    assert struck.exists(), service.records[-20:]
    again = deployment.serve(**ENDLESS_LEASES, **env)
    began = time.monotonic()
    again.wait_for_event("job.processing", job_id=job_id)
    took_s = time.monotonic() - began
    job = again.result_of(job_id)
    assert took_s < AGAIN_S
    return job, again, lambda: list(containers_of(docker_host() or "", {job_id}))


def engine_events(job_id: str, since: int) -> list[dict[str, Any]]:
    """Returns: what became of the job's containers since then, by the engine's own account."""
    client = docker.APIClient(base_url=require_docker())
    try:
        filters = {"label": [f"chef.job={job_id}", "chef.role=job"], "event": ["create", "destroy"]}
        return list(client.events(since=since, until=int(time.time()) + 1, filters=filters, decode=True))
    finally:
        client.close()


def test_f3_killed_after_the_claim_the_job_is_run_again_and_the_run_is_counted(deployment: Deployment) -> None:
    job, *_ = run_again_by_itself(deployment, seams.AFTER_CLAIM, TINY)

    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    assert deployment.violations() == []


def test_f3_killed_after_the_claim_the_job_is_run_by_another_supervisor(deployment: Deployment) -> None:
    other = deployment.bystander(**SHIPPED)
    service = deployment.serve("a", module=faulty(seams.AFTER_CLAIM), **SHIPPED)
    job_id = deployment.submit(other)
    service.process.wait(STOP_S)
    died = time.monotonic()

    deployment.release()
    job = other.result_of(job_id)

    assert time.monotonic() - died < ELSEWHERE_S
    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    assert deployment.violations() == []


@pytest.mark.docker
@pytest.mark.parametrize(("point", "warm"), [(seams.AFTER_CREATE, "0"), (seams.AFTER_START, "2")])
def test_f4_killed_after_create_or_start_the_container_is_swept_and_the_job_runs_again(
    docker_deployment: Deployment, point: str, warm: str
) -> None:
    job, _, containers = run_again_by_itself(docker_deployment, point, SECOND, CHEF_SANDBOX_WARM=warm)

    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    eventually(lambda: not containers(), "no container is left")
    assert docker_deployment.violations() == []


@pytest.mark.docker
def test_f5_killed_mid_run_the_next_supervisor_removes_the_container_before_it_runs_the_job_again(
    docker_deployment: Deployment,
) -> None:
    began = int(time.time())
    # The engine tells of labels, and boxes that waited have none of the job's.
    job, _, containers = run_again_by_itself(docker_deployment, seams.MID_RUN, SECOND, CHEF_SANDBOX_WARM="0")

    # What the engine did, in its order.
    done = [(event["Action"], event["Actor"]["Attributes"]["chef.run"]) for event in engine_events(job["jobId"], began)]
    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    assert done.index(("destroy", "1")) < done.index(("create", "2")), done
    eventually(lambda: not containers(), "no container is left")
    assert docker_deployment.violations() == []


@pytest.mark.docker
def test_f6_killed_after_the_box_ended_the_job_runs_again_and_no_half_result_is_seen(
    docker_deployment: Deployment,
) -> None:
    job, again, _ = run_again_by_itself(docker_deployment, seams.AFTER_EXIT, SECOND)

    events = again.events_of(job["jobId"])
    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    assert [step["status"] for step in job["result"]["steps"]] == ["passed"]
    assert [event["status"] for event in events if event["status"] not in {"pending", "processing"}] == ["completed"]
    assert docker_deployment.violations() == []


@pytest.mark.parametrize("point", [seams.BEFORE_FINISH, seams.AFTER_FINISH])
def test_f7_killed_at_the_finish_the_job_has_one_outcome(deployment: Deployment, point: str) -> None:
    struck = deployment.folder / "struck"
    service = deployment.serve(module=faulty(point, once=struck))
    job_id = deployment.submit(service)
    service.process.wait(STOP_S)

    job = deployment.serve("a").result_of(job_id)

    # Once it is recorded nobody runs it again.
    assert (job["status"], job["runs"]) == ("completed", 2 if point == seams.BEFORE_FINISH else 1), told(job)
    assert deployment.violations() == []
