"""F46 and F47 as callers see them: requests sent twice, and jobs cancelled wherever they are."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import docker
import httpx
import pytest

from tests.kit.deployment import Deployment, tiny_job
from tests.kit.docker_engine import is_removed, require_docker
from tests.kit.invariants import container_of
from tests.kit.service import Service, told

ENDLESS: Final = {"package.json": json.dumps({"scripts": {"build": "node -e 'setInterval(() => {}, 1000)'"}})}
FAILING: Final = {"package.json": json.dumps({"scripts": {"build": "node -e 'process.exit(1)'"}})}
# So that it is the order that reaches the runner, and not the answer to a renewal.
NO_RENEWAL_SOON: Final = {"CHEF_QUEUE_LEASE_S": "120", "CHEF_QUEUE_RENEW_S": "40"}
# Promised: 2 s.
DEAD_S: Final = 10
AT_ONCE: Final = 50


def post(service: Service, request: dict[str, Any], key: str) -> httpx.Response:
    with service.client() as client:
        return client.post("/api/jobs", json=request, headers={"Idempotency-Key": key})


def delete(service: Service, job_id: str) -> httpx.Response:
    with service.client() as client:
        return client.delete(f"/api/jobs/{job_id}")


def test_f46_one_key_and_one_body_make_one_job_however_often_and_wherever_they_are_sent(
    deployment: Deployment,
) -> None:
    inlets = [deployment.serve(name, CHEF_ROLE="api") for name in ("one", "two")]

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: post(inlets[number % 2], tiny_job(), "same"), range(AT_ONCE)))

    assert {answer.status_code for answer in answers} == {httpx.codes.CREATED}
    [job] = {(answer.json()["jobId"], answer.json()["createdAt"]) for answer in answers}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    deployment.accepted.append(job[0])
    assert deployment.violations(over=False) == []


def test_f46_another_body_is_refused_and_another_tenant_or_queue_has_keys_of_its_own(deployment: Deployment) -> None:
    service = deployment.serve(CHEF_ROLE="api")
    first = post(service, tiny_job(), "key")

    another_body = post(service, tiny_job(priority=20), "key")
    another_tenant = post(service, tiny_job("somebody-else"), "key")
    another_queue = post(service, tiny_job() | {"type": "test"}, "key")

    assert (another_body.status_code, another_body.json()["code"]) == (422, "idempotency_mismatch")
    ids = {answer.json()["jobId"] for answer in (first, another_tenant, another_queue)}
    deployment.accepted += ids
    assert len(ids) == 3
    assert deployment.violations(over=False) == []


def test_f46_a_key_that_is_forgotten_makes_a_new_job(deployment: Deployment) -> None:
    service = deployment.serve(CHEF_ROLE="api")
    first = post(service, tiny_job(), "key").json()["jobId"]
    with deployment.redis.client() as client:
        [remembered] = client.keys("chef:*:idem:*")
        life_ms = client.pttl(remembered)
        # A day later.
        client.delete(remembered)

    second = post(service, tiny_job(), "key").json()["jobId"]

    deployment.accepted += [first, second]
    assert 86_000_000 < life_ms <= 86_400_000
    assert first != second
    assert deployment.violations(over=False) == []


def test_f47_a_job_that_waits_is_cancelled_and_never_runs(deployment: Deployment) -> None:
    inlet = deployment.serve("inlet", CHEF_ROLE="api")
    waiting, delayed = deployment.submit(inlet), deployment.submit(inlet, delayMs=600_000)

    answers = [delete(inlet, job_id) for job_id in (waiting, delayed)]
    service = deployment.serve()
    deployment.submit(service)

    jobs = service.results_of(deployment.accepted)
    assert [answer.status_code for answer in answers] == [httpx.codes.OK] * 2
    assert [(job["status"], job["runs"]) for job in jobs] == [("cancelled", 0), ("cancelled", 0), ("completed", 1)]
    assert deployment.violations() == []


def test_f47_a_job_that_runs_is_cancelled_from_another_process_and_its_slot_is_free(deployment: Deployment) -> None:
    service = deployment.holding(MAX_CONCURRENT_WORKERS="1", **NO_RENEWAL_SOON)
    inlet = deployment.serve("inlet", CHEF_ROLE="api")
    job_id = deployment.submit(inlet)
    service.wait_for_event("job.processing", job_id=job_id)
    next_id = deployment.submit(inlet)

    answer = delete(inlet, job_id)

    # Before its box would have ended.
    service.wait_for_event("job.processing", job_id=next_id)
    deployment.release()
    job = service.result_of(next_id)
    assert (answer.status_code, answer.json()["status"]) == (httpx.codes.OK, "cancelled")
    assert service.result_of(job_id)["status"] == "cancelled"
    assert job["status"] == "completed", told(job)
    assert deployment.violations() == []


@pytest.mark.docker
def test_f47_the_container_of_a_cancelled_job_is_gone(docker_deployment: Deployment) -> None:
    service = docker_deployment.serve(**NO_RENEWAL_SOON)
    job_id = docker_deployment.submit(service, files=ENDLESS)
    service.events_of(job_id, until=lambda event: event["progress"] > 0)
    client = docker.DockerClient(base_url=require_docker())
    try:
        container = client.containers.get(container_of(require_docker(), job_id))

        delete(service, job_id)

        is_removed(container, DEAD_S)
    finally:
        client.close()
    assert docker_deployment.violations() == []


def test_f47_a_job_that_waits_for_its_next_run_is_cancelled(deployment: Deployment) -> None:
    service = deployment.serve(CHEF_SANDBOX="bubblewrap")
    later = {"type": "fixed", "delayMs": 600_000, "maxMs": 600_000}
    job_id = deployment.submit(service, files=FAILING, attempts=3, backoff=later)
    service.wait_for_event("job.retrying", job_id=job_id)

    answer = delete(service, job_id)

    job = service.result_of(job_id)
    assert (answer.status_code, answer.json()["status"]) == (httpx.codes.OK, "cancelled")
    assert (job["status"], job["runs"], job["failures"]) == ("cancelled", 1, 1), told(job)
    assert deployment.violations() == []


def test_f47_what_is_over_stays_what_it_is_and_who_was_cancelled_stays_cancelled(deployment: Deployment) -> None:
    service = deployment.serve()
    completed = deployment.submit(service)
    service.result_of(completed)
    cancelled = deployment.submit(service, delayMs=600_000)

    over, first, second = delete(service, completed), delete(service, cancelled), delete(service, cancelled)
    unknown = delete(service, "builds.0_" + "a" * 26)

    assert (over.status_code, over.json()["code"]) == (httpx.codes.CONFLICT, "already_over")
    assert [(answer.status_code, answer.json()["status"]) for answer in (first, second)] == [(200, "cancelled")] * 2
    assert unknown.status_code == httpx.codes.NOT_FOUND
    assert service.result_of(completed)["status"] == "completed"
    assert deployment.violations() == []


def test_f47_a_storm_of_cancels_over_jobs_in_every_state_leaves_one_end_each(deployment: Deployment) -> None:
    service = deployment.serve(MAX_CONCURRENT_WORKERS="3")
    job_ids = deployment.submit_many(service, 60)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda job_id: delete(service, job_id), job_ids * 2))

    jobs = service.results_of(job_ids)
    assert {answer.status_code for answer in answers} <= {httpx.codes.OK, httpx.codes.CONFLICT}
    assert {job["status"] for job in jobs} <= {"cancelled", "completed"}
    for answer, job in zip(answers, jobs + jobs, strict=True):
        assert (answer.status_code == httpx.codes.OK) == (job["status"] == "cancelled")
    assert deployment.violations() == []
