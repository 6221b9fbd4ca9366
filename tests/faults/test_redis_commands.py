"""F15 and F19: somebody flushes all scripts, or kills all connections, over and over. Nobody notices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.kit.asking import all_completed, crashes, submit_at_last, until
from tests.kit.deployment import Deployment
from tests.kit.redis_servers import RedisServer
from tests.kit.service import Service


@contextmanager
def over_and_over(server: RedisServer, every_s: float, deed: Callable[[redis.Redis], object]) -> Iterator[list[int]]:
    """Yields: a list that grows with each time it was done."""
    over, times = threading.Event(), [0]

    def run() -> None:
        with server.client() as client:
            while not over.wait(every_s):
                deed(client)
                times[0] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join(30)


def kill_all_others(client: redis.Redis) -> None:
    client.client_kill_filter(_type="normal", skipme=True)


def test_f15_scripts_that_are_flushed_all_the_time_cost_nothing(deployment: Deployment) -> None:
    # Answers in time are promised of a Redis that is not kept busy.
    service = deployment.serve(CHEF_REDIS_REQUEST_TIMEOUT_S="10")

    with over_and_over(deployment.redis, 0.001, lambda client: client.script_flush()) as times:
        deployment.submit_many(service, 60)
        for job_id in deployment.accepted:
            service.result_of(job_id)

    assert times[0] > 10
    all_completed(deployment, service)
    assert crashes(service) == []


@pytest.mark.parametrize("every_s", [0.05, 1.0])
def test_f19_connections_that_are_killed_all_the_time_stop_nothing(deployment: Deployment, every_s: float) -> None:
    service = deployment.serve()

    with over_and_over(deployment.redis, every_s, kill_all_others) as times:
        # As a careful caller does: again with the same key where it was told to come back.
        for _ in range(40):
            submit_at_last(deployment, service)
        until(lambda: times[0] >= 3 and all_over(deployment, service))

    assert len(set(deployment.accepted)) == 40
    all_completed(deployment, service)
    assert crashes(service) == []


def all_over(deployment: Deployment, service: Service) -> bool:
    """Whether it can be read of all jobs that they are; a read may be refused as well."""
    with service.client() as client:
        answers = [client.get(f"/api/jobs/{job_id}") for job_id in deployment.accepted]
    return all(answer.is_success and answer.json()["finishedAt"] for answer in answers)
