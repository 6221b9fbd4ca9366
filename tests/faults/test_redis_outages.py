"""F10: Redis is stopped and started again, for a moment or for long; nobody loses a run, and nobody is restarted."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.kit.asking import all_completed, crashes, health, refused_soon, until, works_again
from tests.kit.deployment import Deployment
from tests.kit.redis_servers import REDIS_8, running_process


@pytest.mark.parametrize(
    "away_s",
    [
        5,
        pytest.param(60, marks=pytest.mark.slow),
        pytest.param(600, marks=[pytest.mark.slow, pytest.mark.timeout(1200)]),
    ],
)
def test_f10_jobs_go_on_while_redis_is_stopped_and_end_when_it_is_back(deployment: Deployment, away_s: int) -> None:
    other = deployment.bystander()
    service = deployment.holding()
    for job_id in deployment.submit_many(service, 5):
        service.wait_for_event("job.processing", job_id=job_id)
    began = time.monotonic()
    deployment.redis.stop()

    while time.monotonic() - began < away_s:
        refused_soon(service)
        refused_soon(other)
        assert health(service).json()["redis"] == "disconnected"
        time.sleep(min(1.0, away_s / 5))

    deployment.redis.start()
    deployment.release()
    for supervisor in (service, other):
        works_again(deployment, supervisor)
    all_completed(deployment, service)
    assert crashes(service) == crashes(other) == []


def test_f10_a_job_that_ends_while_redis_is_stopped_is_told_when_it_is_back(deployment: Deployment) -> None:
    service = deployment.holding()
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)
    deployment.redis.stop()

    deployment.release()
    service.wait_for_event("store.unavailable", job_id=job_id)
    deployment.redis.start()

    all_completed(deployment, service)


def test_f10_restarts_one_after_the_other_lose_nothing(deployment: Deployment) -> None:
    service = deployment.serve()

    for _ in range(5):
        deployment.submit_many(service, 5)
        deployment.redis.stop()
        deployment.redis.start()
        works_again(deployment, service)

    all_completed(deployment, service)
    assert crashes(service) == []


def test_f10_while_redis_loads_its_data_jobs_are_refused_and_then_all_is_there(tmp_path: Path) -> None:
    with running_process(REDIS_8) as redis:
        deployment = Deployment(redis, tmp_path, {"CHEF_SANDBOX": "null", "NODE_ENV": "test"})
        service = deployment.holding()
        for job_id in deployment.submit_many(service, 3):
            service.wait_for_event("job.processing", job_id=job_id)
        with redis.client() as client:
            client.mset({f"not-ours-{number}": "x" * 100 for number in range(3000)})
            client.execute_command("BGREWRITEAOF")
            until(lambda: client.info("persistence")["aof_last_rewrite_time_sec"] >= 0)
        redis.kill()
        # Microseconds for each key, and after how many bytes it looks up from them: it takes some seconds.
        redis.options |= {"key-load-delay": "1000", "loading-process-events-interval-bytes": "1024"}
        starting = threading.Thread(target=redis.start)
        starting.start()

        until(lambda: "loading" in refused_soon(service).json()["detail"])

        starting.join()
        deployment.release()
        works_again(deployment, service)
        all_completed(deployment, service)
        assert crashes(service) == []
        deployment.close()
