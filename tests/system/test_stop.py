"""A service that is told to stop while jobs run."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chef_supervisor.domain.job import JobStatus
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.kit.service import STOP_S, Service, started

ENDLESS = {"package.json": json.dumps({"name": "x", "scripts": {"test": "node -e 'setInterval(() => {}, 1000)'"}})}
TYPES = ("build", "test", "lint")


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


@pytest.fixture
def environment(redis: RedisProcess) -> dict[str, str]:
    return {"CHEF_REDIS_UNIX_SOCKET": str(redis.socket), "CHEF_SANDBOX": "bubblewrap", "CHEF_WORKER_GRACE_S": "4"}


def start_one_of_each(service: Service) -> list[str]:
    """Returns: jobs that never end, one in each queue, all of them running."""
    files = {"package.json": json.dumps({"scripts": dict.fromkeys(TYPES, "node -e 'setInterval(() => {}, 1000)'")})}
    job_ids = [service.submit(job_type, files) for job_type in TYPES]
    for job_id in job_ids:
        service.events_of(job_id, until=lambda event: event["progress"] > 0)
    return job_ids


def test_jobs_that_outlast_one_grace_are_put_back_and_the_service_ends_with_0(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with started(tmp_path / "a", **environment) as service:
        job_ids = start_one_of_each(service)

        service.process.send_signal(signal.SIGTERM)
        service.wait_for_event("service.stopping")
        refused, read = ask_while_draining(service, job_ids[0])
        code = service.process.wait(STOP_S)

    with started(tmp_path / "b", CHEF_ROLE="api", **environment) as other, other.client() as client:
        states = [client.get(f"/api/jobs/{job_id}").json() for job_id in job_ids]
    put_back = [record for record in service.records if record.get("message", "").endswith("is put back")]
    assert (refused.status_code, refused.json()["code"]) == (httpx.codes.SERVICE_UNAVAILABLE, "draining")
    assert "retry-after" in refused.headers
    assert read.json()["status"] == JobStatus.PROCESSING
    assert code == 0
    # Three graces one after the other would have outlasted what Compose waits.
    assert len(put_back) == len(TYPES)
    assert [(state["status"], state["runs"]) for state in states] == [("pending", 0)] * len(TYPES)


def ask_while_draining(service: Service, job_id: str) -> tuple[httpx.Response, httpx.Response]:
    body = {"type": "test", "data": {"chatId": "late", "projectFiles": {"a.py": ""}}}
    with service.client() as client:
        return client.post("/api/jobs", json=body), client.get(f"/api/jobs/{job_id}")


def test_a_second_signal_ends_the_process_at_once(environment: dict[str, str], tmp_path: Path) -> None:
    environment["CHEF_WORKER_GRACE_S"] = "600"
    with started(tmp_path, **environment) as service:
        job_id = service.submit("test", ENDLESS)
        service.events_of(job_id, until=lambda event: event["progress"] > 0)
        service.process.send_signal(signal.SIGTERM)
        service.wait_for_event("service.stopping")

        service.process.send_signal(signal.SIGTERM)

        assert service.process.wait(STOP_S) == 1


def test_a_job_whose_service_was_killed_is_run_by_the_next(environment: dict[str, str], tmp_path: Path) -> None:
    environment |= {"CHEF_QUEUE_LEASE_S": "3", "CHEF_QUEUE_RENEW_S": "1"}
    slow = {"package.json": json.dumps({"scripts": {"test": "node -e 'setTimeout(() => {}, 2000)'"}})}
    with started(tmp_path / "a", **environment) as service:
        job_id = service.submit("test", slow)
        service.events_of(job_id, until=lambda event: event["progress"] > 0)
        service.process.kill()
        service.process.wait(STOP_S)

    with started(tmp_path / "b", **environment) as other:
        job = other.result_of(job_id)

    assert (job["status"], job["runs"]) == ("completed", 2)
