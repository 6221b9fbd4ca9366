"""The process as its keepers see it: exit codes, bad input, and a Redis that goes and comes back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.kit.service import Service, started

# Promised: within a second; a machine with two busy cores gets some more.
_SOON_S = 3.0
# By itself, once Redis is back.
_RECOVERY_S = 30.0


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


@pytest.fixture
def service(redis: RedisProcess, tmp_path: Path) -> Iterator[Service]:
    env = {"CHEF_REDIS_UNIX_SOCKET": str(redis.socket), "CHEF_SANDBOX": "null", "NODE_ENV": "test"}
    with started(tmp_path, **env) as running:
        yield running


def health(service: Service) -> int:
    with service.client() as client:
        return client.get("/api/health", timeout=_SOON_S).status_code


def seconds_until(service: Service, code: int) -> float:
    """Returns: how long health took to say so; each look waits for the service's own probe, so none is vain."""
    began = time.monotonic()
    while health(service) != code:
        assert time.monotonic() - began < _RECOVERY_S, service.records[-20:]
    return time.monotonic() - began


def test_a_null_job_goes_all_the_way(service: Service) -> None:
    job = service.run("build", {"package.json": '{"scripts": {"build": "true"}}'})

    assert (job["status"], job["progress"]) == ("completed", 100)


def test_a_process_that_takes_jobs_in_and_one_that_runs_them_need_only_redis_between_them(
    redis: RedisProcess, tmp_path: Path
) -> None:
    env = {"CHEF_REDIS_UNIX_SOCKET": str(redis.socket), "CHEF_SANDBOX": "null", "NODE_ENV": "test"}

    with started(tmp_path / "api", CHEF_ROLE="api", **env) as api:
        job_id = api.submit("build", {"package.json": '{"scripts": {"build": "true"}}'})
        with api.client() as client:
            waiting = client.get("/api/stats").json()["queues"]["builds"]["waiting"]
        with started(tmp_path / "worker", ready="sandbox.chosen", CHEF_ROLE="worker", **env) as worker:
            job = api.result_of(job_id)
            worker.wait_for_event("job.completed", job_id=job_id)

    assert waiting == 1
    assert job["status"] == "completed"
    assert not [record for record in worker.records if record.get("event") == "api.listening"]


@pytest.mark.parametrize("away", ["killed", "hung"])
def test_health_follows_a_redis_that_goes_and_comes_back(service: Service, redis: RedisProcess, away: str) -> None:
    assert health(service) == httpx.codes.OK

    redis.kill() if away == "killed" else redis.pause()
    gone_s = seconds_until(service, httpx.codes.SERVICE_UNAVAILABLE)
    redis.start() if away == "killed" else redis.resume()
    seconds_until(service, httpx.codes.OK)

    assert gone_s < _SOON_S
    service.submit("build", {"package.json": "{}"})


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"type": "deploy", "data": {"chatId": "c", "projectFiles": {"a": "x"}}}',
        b'{"type": "build", "priority": 21, "data": {"chatId": "c", "projectFiles": {"a": "x"}}}',
        b'{"type": "build", "data": {"chatId": "c", "projectFiles": {"/etc/passwd": "x"}}}',
        b'{"type": "build", "data": {"chatId": "c", "projectFiles": {"../x": "x"}}}',
        b'{"type": "build", "data": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"type": "build", "data": {"chatId": "c", "projectFiles": {"a": "' + b"x" * (17 << 20) + b'"}}}',
    ],
    ids=["broken", "unknown type", "priority", "absolute path", "parent path", "1000 deep", "17 MiB"],
)
def test_bad_input_is_the_callers_problem_and_nothing_is_queued(service: Service, body: bytes) -> None:
    with service.client() as client:
        answer = client.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
        stats = client.get("/api/stats").json()["queues"]

    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]
    assert all(sum(counts.values()) == 0 for counts in stats.values())


def test_every_change_of_a_jobs_state_is_logged_once(service: Service) -> None:
    job = service.run("build", {"package.json": '{"scripts": {"build": "true"}}'})

    service.stop()

    changes = [record["event"] for record in service.records if record.get("job_id") == job["jobId"]]
    assert changes == ["job.pending", "job.processing", "job.completed"]


def test_a_stopped_service_ends_with_0(service: Service) -> None:
    assert service.stop() == 0


def test_a_wrong_configuration_is_told_whole_with_exit_code_78(tmp_path: Path) -> None:
    env = {"PORT": "x", "CHEF_NO_SUCH": "1", "CHEF_STATE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "chef_supervisor", "serve"]

    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 78
    assert "PORT='x'" in ended.stderr
    assert "CHEF_NO_SUCH: no such setting" in ended.stderr


def test_a_null_sandbox_is_refused_where_jobs_are_meant(tmp_path: Path) -> None:
    env = {"CHEF_SANDBOX": "null", "CHEF_STATE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "PORT": "0"}
    command = [sys.executable, "-m", "chef_supervisor", "serve"]

    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 78
    assert "null" in ended.stderr


def test_a_port_that_is_taken_is_told(service: Service, tmp_path: Path) -> None:
    port = service.url.rpartition(":")[2]
    env = {"PORT": port, "CHEF_STATE_DIR": str(tmp_path / "other"), "CHEF_SANDBOX": "null", "NODE_ENV": "test"}
    command = [sys.executable, "-m", "chef_supervisor", "serve"]

    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 78
    assert "ddress already in use" in ended.stderr
