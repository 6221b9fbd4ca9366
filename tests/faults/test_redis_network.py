"""F17 and F18: the way to Redis is slow, loses packets, stands still, or is gone without a word."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
import redis

from tests.kit.asking import all_completed, crashes, health, refused_soon, submit_at_last, until, works_again
from tests.kit.deployment import Deployment
from tests.kit.service import Service
from tests.kit.wire import Wire, wire_to

# Longer than two of the deployment's leases.
_SLEEP_S: Final = 7


@pytest.fixture
def wire(deployment: Deployment, tmp_path: Path) -> Iterator[Wire]:
    """Yields: the way to Redis that supervisors get by `CHEF_REDIS_UNIX_SOCKET=wire.path`."""
    assert deployment.redis.socket is not None
    with wire_to(deployment.redis.socket, tmp_path) as made:
        yield made
        # A supervisor that is told to stop would wait for what never comes.
        made.silent, made.delay_s, made.loss = False, 0.0, 0.0
        deployment.close()


def one_running(deployment: Deployment, service: Service) -> None:
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)


def test_f17_a_redis_that_sleeps_for_two_leases_costs_nobody_a_run(deployment: Deployment) -> None:
    other = deployment.bystander()
    service = deployment.holding()
    one_running(deployment, service)
    # One that waits as long as it takes.
    with redis.Redis(unix_socket_path=str(deployment.redis.socket), socket_timeout=None) as client:
        sleep = threading.Thread(target=client.execute_command, args=("DEBUG", "SLEEP", _SLEEP_S))
        sleep.start()
        until(lambda: health(service).status_code == httpx.codes.SERVICE_UNAVAILABLE)

        for _ in range(3):
            refused_soon(service)
        assert sleep.is_alive()
        sleep.join()

    deployment.release()
    works_again(deployment, service)
    works_again(deployment, other)
    all_completed(deployment, service)
    assert crashes(service) == crashes(other) == []


@pytest.mark.parametrize(
    ("delay_s", "loss"), [pytest.param(0.15, 0.0, marks=pytest.mark.slow), (0.0, 0.01), (0.01, 0.1)]
)
def test_f17_jobs_get_done_over_a_slow_way_that_loses_packets(
    deployment: Deployment, wire: Wire, delay_s: float, loss: float
) -> None:
    """300 ms there and back; 1 % and 10 % lost."""
    service = deployment.serve(CHEF_REDIS_UNIX_SOCKET=str(wire.path))
    wire.delay_s, wire.loss = delay_s, loss
    for _ in range(10):
        submit_at_last(deployment, service)

    all_completed(deployment, service)
    assert crashes(service) == []


def test_f18_a_redis_that_is_gone_without_a_word_is_told_soon_and_found_again(
    deployment: Deployment, wire: Wire
) -> None:
    service = deployment.holding(CHEF_REDIS_UNIX_SOCKET=str(wire.path))
    one_running(deployment, service)
    wire.silent = True

    for _ in range(3):
        refused_soon(service)
        assert health(service).json()["redis"] == "disconnected"

    wire.silent = False
    wire.silence()
    deployment.release()
    works_again(deployment, service)
    all_completed(deployment, service)


@pytest.mark.slow
def test_f18_connections_that_go_silent_are_given_up_by_whoever_waits_on_them(
    deployment: Deployment, wire: Wire
) -> None:
    """No packet says so, and new connections lead on: a firewall that forgot, a server that was replaced."""
    service = deployment.serve(CHEF_REDIS_UNIX_SOCKET=str(wire.path))
    works_again(deployment, service)

    for _ in range(3):
        wire.silence()
        job_id = submit_at_last(deployment, service)
        assert service.result_of(job_id, within_s=30)["status"] == "completed"

    assert deployment.violations() == []
    assert crashes(service) == []


def test_f18_a_stream_of_events_goes_on_after_its_connection_went_silent(deployment: Deployment, wire: Wire) -> None:
    service = deployment.serve(CHEF_REDIS_UNIX_SOCKET=str(wire.path))
    works_again(deployment, service)
    with service.client() as client, client.stream("GET", "/api/events") as answer:
        wire.silence()
        job_id = submit_at_last(deployment, service)

        told = (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: "))
        end = next(event for event in told if event.get("jobId") == job_id and event["status"] == "completed")

    assert end["progress"] == 100
