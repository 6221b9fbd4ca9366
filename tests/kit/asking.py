"""What a caller of the service sees while something is wrong, and when it is well again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from tests.kit.deployment import Deployment, tiny_job
from tests.kit.service import Service

# Promised: within a second; a machine with two busy cores gets some more.
SOON_S: Final = 4.0
# By itself, once what was wrong is not any more.
RECOVERY_S: Final = 30.0


def post(service: Service, **headers: str) -> httpx.Response:
    """Returns: the answer to a submission."""
    with service.client() as client:
        return client.post("/api/jobs", json=tiny_job(), headers=headers)


def submit_at_last(deployment: Deployment, service: Service) -> str:
    """
    Submit as a careful caller does: again with the same key where it was told to come back.

    Returns: the id of the job.
    """
    key = secrets.token_hex(8)
    answers: list[httpx.Response] = []

    def accepted() -> bool:
        answers.append(post(service, **{"Idempotency-Key": key}))
        return answers[-1].status_code == httpx.codes.CREATED

    until(accepted)
    assert {answer.status_code for answer in answers} <= {httpx.codes.CREATED, httpx.codes.SERVICE_UNAVAILABLE}
    job_id = str(answers[-1].json()["jobId"])
    deployment.accepted.append(job_id)
    return job_id


def health(service: Service) -> httpx.Response:
    """Returns: what health says."""
    with service.client() as client:
        return client.get("/api/health")


def refused_soon(service: Service, code: str = "store_unavailable") -> httpx.Response:
    """A submission is answered 503 with that code, in time, and with when to come back."""
    began = time.monotonic()
    answer = post(service)
    took_s = time.monotonic() - began
    assert (answer.status_code, answer.json()["code"]) == (httpx.codes.SERVICE_UNAVAILABLE, code), answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert took_s < SOON_S
    return answer


def until(holds: Callable[[], bool], within_s: float = RECOVERY_S) -> None:
    """Look again and again; each look asks the service, which takes its time."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, "it does not come to hold"


def until_healthy(service: Service) -> None:
    """Wait until jobs are accepted and worked on again."""
    until(lambda: health(service).status_code == httpx.codes.OK)


def works_again(deployment: Deployment, service: Service) -> None:
    """It accepts a job within the promised time, and brings it to its end."""
    until_healthy(service)
    job = service.result_of(deployment.submit(service))
    assert job["status"] == "completed", job


def all_completed(deployment: Deployment, service: Service, *, runs: int = 1) -> None:
    """Every job that was accepted came to its end, after so many runs and no more."""
    jobs = [service.result_of(job_id) for job_id in deployment.accepted]
    assert [(job["jobId"], job["status"], job["runs"]) for job in jobs] == [
        (job_id, "completed", runs) for job_id in deployment.accepted
    ]
    assert deployment.violations() == []


def crashes(service: Service) -> list[dict[str, Any]]:
    """Returns: what the service logged of bugs."""
    return [record for record in service.records if record.get("event") in {"actor.crashed", "service.failed"}]
