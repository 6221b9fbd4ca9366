"""F14 and the part of F29 that is Redis': its memory is full, or its disk is. Jobs are refused, work ends, all recovers."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
import pytest

from tests.kit.asking import all_completed, crashes, health, refused_soon, until, works_again
from tests.kit.deployment import TINY, Deployment, tiny_job
from tests.kit.redis_servers import REDIS_8, REDIS_62, RedisProcess, program, running_process
from tests.kit.service import Service

# What a job's files take in Redis: random, so that they are not compressed, and in hexadecimal, so half of it.
_PAYLOAD_BYTES: Final = 50_000
_ROOM_BYTES: Final = 4 << 20
_NULL: Final = {
    "CHEF_SANDBOX": "null",
    "NODE_ENV": "test",
    "CHEF_QUEUE_LEASE_S": "3",
    "CHEF_QUEUE_RENEW_S": "1",
    "CHEF_QUEUE_REAP_S": "0.5",
}


def large_job() -> dict[str, Any]:
    files = {**TINY, "noise.txt": secrets.token_hex(_PAYLOAD_BYTES)}
    return {**tiny_job(), "data": {"chatId": "tests", "projectFiles": files}}


@pytest.fixture(params=[REDIS_62, REDIS_8])
def full_soon(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """Yields: a deployment on a Redis with little room."""
    with running_process(request.param) as redis:
        with redis.client() as client:
            memory: Any = client.info("memory")
            client.config_set("maxmemory", memory["used_memory"] + _ROOM_BYTES)
        deployment = Deployment(redis, tmp_path, {**_NULL, "CHEF_RETENTION_MAX_BYTES": "500000"})
        try:
            yield deployment
        finally:
            deployment.close()


def submit_until_refused(deployment: Deployment, url: str) -> httpx.Response:
    """Returns: the first answer that is no 201."""
    with httpx.Client(base_url=url, timeout=60) as client:
        while (answer := client.post("/api/jobs", json=large_job())).status_code == httpx.codes.CREATED:
            deployment.accepted.append(answer.json()["jobId"])
    return answer


def test_f14_a_full_memory_refuses_jobs_and_is_freed_by_those_that_end(full_soon: Deployment) -> None:
    """Also those that wait: they are claimed, run and told, though Redis takes nothing new."""
    service = full_soon.holding(MAX_CONCURRENT_WORKERS="2")

    refusal = submit_until_refused(full_soon, service.url)
    assert (refusal.status_code, refusal.json()["code"]) == (httpx.codes.SERVICE_UNAVAILABLE, "store_full")
    assert int(refusal.headers["Retry-After"]) >= 1
    full_soon.release()

    until(lambda: nothing_is_left_to_do(service))
    assert len(full_soon.accepted) > 10
    until(lambda: accepted(full_soon, service.url, large_job()))
    works_again(full_soon, service)
    until(lambda: nothing_is_left_to_do(service))
    assert full_soon.violations() == []
    assert crashes(service) == []


def test_f14_a_supervisor_that_starts_on_a_full_memory_works_it_off(full_soon: Deployment) -> None:
    """Else nobody could: it is the waiting jobs that fill it."""
    first = full_soon.holding(MAX_CONCURRENT_WORKERS="2")
    submit_until_refused(full_soon, first.url)
    first.process.kill()
    first.process.wait()

    full_soon.release()
    second = full_soon.holding(MAX_CONCURRENT_WORKERS="2")

    until(lambda: nothing_is_left_to_do(second))
    assert full_soon.violations() == []
    assert crashes(second) == []


def nothing_is_left_to_do(service: Service) -> bool:
    """Most jobs are past their retention by then, so they cannot be asked for."""
    with service.client() as client:
        queues = client.get("/api/stats").raise_for_status().json()["queues"].values()
    return not any(queue["waiting"] + queue["active"] + queue["delayed"] for queue in queues)


def test_f14_a_memory_without_any_room_lets_running_jobs_end(deployment: Deployment) -> None:
    service = deployment.holding()
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)
    with deployment.redis.client() as client:
        client.config_set("maxmemory", 1)

        refused_soon(service, "store_full")
        assert health(service).status_code == httpx.codes.SERVICE_UNAVAILABLE
        deployment.release()
        service.wait_for_event("job.completed", job_id=job_id)

        client.config_set("maxmemory", 0)
    works_again(deployment, service)
    all_completed(deployment, service)


@attrs.frozen
class SmallDisk:
    """A file system of a few megabytes."""

    folder: Path

    def fill(self) -> None:
        """Leave no byte of room."""
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                return

    def free(self) -> None:
        """Take the filler away."""
        (self.folder / "filler").unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("name", [REDIS_62, REDIS_8])
def test_f29_a_full_disk_of_redis_refuses_jobs_and_recovers(small_disk: SmallDisk, tmp_path: Path, name: str) -> None:
    socket = str(tmp_path / "socket")
    redis = RedisProcess(name, socket, program=program(name), folder=small_disk.folder)
    redis.start()
    deployment = Deployment(redis, tmp_path, _NULL)
    try:
        service = deployment.holding()
        job_id = deployment.submit(service)
        service.wait_for_event("job.processing", job_id=job_id)
        small_disk.fill()

        # The first write after it may still be taken: Redis learns of the disk when it writes to it.
        until(lambda: not accepted(deployment, service.url, tiny_job()))
        refused_soon(service)
        deployment.release()
        service.wait_for_event("store.unavailable", job_id=job_id)
        small_disk.free()

        works_again(deployment, service)
        all_completed(deployment, service)
        assert crashes(service) == []
    finally:
        deployment.close()
        redis.kill()


def accepted(deployment: Deployment, url: str, body: dict[str, Any]) -> bool:
    with httpx.Client(base_url=url, timeout=10) as client:
        answer = client.post("/api/jobs", json=body)
    if answer.is_success:
        deployment.accepted.append(answer.json()["jobId"])
    return answer.is_success
