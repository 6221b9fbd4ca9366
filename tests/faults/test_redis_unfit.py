"""A Redis that cannot keep what is promised (G17): refused at the start with every fault, and endured later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.kit.asking import health, post, refused_soon, until, works_again
from tests.kit.deployment import Deployment
from tests.kit.redis_servers import REDIS_8, REDIS_62, RedisProcess, running_process
from tests.kit.service import started

_ENV: Final = {"PATH": "/usr/bin:/bin", "CHEF_SANDBOX": "null", "NODE_ENV": "test", "PORT": "0"}


def refused_start(redis: RedisProcess, folder: Path, **env: str) -> str:
    """Returns: what the process says when it ends with code 78."""
    where = {"CHEF_REDIS_UNIX_SOCKET": str(redis.socket), "CHEF_STATE_DIR": str(folder)}
    command = [sys.executable, "-m", "chef_supervisor", "serve"]
    ended = subprocess.run(
        command, env={**_ENV, **where, **env}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 78, ended.stderr
    return ended.stderr


@pytest.mark.parametrize("role", ["all", "api", "worker"])
def test_the_start_is_refused_with_every_fault_at_once(tmp_path: Path, role: str) -> None:
    with running_process(REDIS_62, appendonly="no", maxmemory="100mb", maxmemory_policy="allkeys-lru") as redis:
        told = refused_start(redis, tmp_path, CHEF_ROLE=role, CHEF_REDIS_DURABILITY="fsync")

    assert "appendonly yes" in told
    assert "maxmemory-policy noeviction" in told
    assert "7.2 or newer" in told


def test_a_replica_is_refused(tmp_path: Path) -> None:
    with running_process(REDIS_8) as redis:
        with redis.client() as client:
            client.replicaof("127.0.0.1", "1")
        told = refused_start(redis, tmp_path)

    assert "primary" in told


def test_a_redis_without_a_disk_is_taken_where_that_is_asked_for(tmp_path: Path) -> None:
    with running_process(REDIS_62, appendonly="no") as redis:
        where = {"CHEF_REDIS_UNIX_SOCKET": str(redis.socket), "CHEF_SANDBOX": "null", "NODE_ENV": "test"}
        with started(tmp_path, CHEF_REDIS_ALLOW_VOLATILE="true", **where) as service:
            assert post(service).status_code == httpx.codes.CREATED
            service.wait_for_event("store.checked", message="a crash of Redis may lose all jobs")


def test_a_redis_that_comes_to_be_unfit_is_given_no_jobs_and_what_runs_goes_on(deployment: Deployment) -> None:
    service = deployment.holding()
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)
    with deployment.redis.client() as client:
        client.config_set("appendonly", "no")
        service.wait_for_event("store.unfit")

        refusal = refused_soon(service)
        told = health(service)
        deployment.release()
        service.wait_for_event("job.completed", job_id=job_id)
        client.config_set("appendonly", "yes")

    assert "appendonly yes" in refusal.json()["detail"]
    assert told.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert any("appendonly yes" in reason for reason in told.json()["reasons"])
    works_again(deployment, service)
    service.wait_for_event("store.fit")


def test_a_redis_that_comes_up_unfit_after_the_service_is_told_and_given_no_jobs(deployment: Deployment) -> None:
    deployment.redis.kill()
    service = deployment.serve()
    deployment.redis.options["appendonly"] = "no"

    deployment.redis.start()

    service.wait_for_event("store.unfit")
    refused_soon(service)
    until(lambda: health(service).json()["redis"] == "connected")
    assert health(service).json()["status"] == "unhealthy"
    assert service.process.poll() is None
