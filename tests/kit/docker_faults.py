"""A deployment whose supervisors look at their engine often, and what tests of its faults ask of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import docker
import docker.errors

from tests.kit.deployment import Deployment, deployed
from tests.kit.invariants import containers_of, violations
from tests.kit.service import Service, told

WITHIN_S: Final = 60.0
_OFTEN: Final = {"CHEF_SANDBOX_PING_S": "0.5", "CHEF_SANDBOX_SWEEP_S": "1"}
_LOOK_S: Final = 0.05


def lasting(seconds: float) -> Mapping[str, str]:
    """Returns: a project whose build takes so long."""
    script = f"node -e 'setTimeout(() => {{}}, {int(seconds * 1000)})'"
    return {"package.json": json.dumps({"name": "lasting", "scripts": {"build": script}})}


@contextmanager
def on_docker(folder: Path, host: str, **env: str) -> Iterator[Deployment]:
    """Yields: a deployment on that engine, whose containers are gone afterwards."""
    with deployed(folder, CHEF_SANDBOX="docker", DOCKER_HOST=host, **_OFTEN, **env) as deployment:
        yield deployment


def running(deployment: Deployment, service: Service, seconds: float) -> str:
    """Returns: a job of that length, whose box runs."""
    job_id = deployment.submit(service, files=lasting(seconds))
    service.events_of(job_id, until=lambda event: event["progress"] > 0)
    return job_id


def health(service: Service) -> dict[str, Any]:
    """Returns: what the service says of itself."""
    with service.client() as client:
        answer: dict[str, Any] = client.get("/api/health").json()
    return answer


def completed(service: Service, *job_ids: str) -> None:
    """Wait until they are, and without blame for the project."""
    for job_id in job_ids:
        job = service.result_of(job_id)
        assert (job["status"], job["failures"]) == ("completed", 0), told(job)


def order_of(service: Service, *events: tuple[str, str]) -> list[int]:
    """Returns: where in the log the last record of each (event, job id or nothing) stands."""
    found: dict[tuple[str, str], int] = {}
    for index, record in enumerate(service.records):
        for wanted in events:
            if record.get("event") == wanted[0] and (not wanted[1] or record.get("job_id") == wanted[1]):
                found[wanted] = index
    return [found[wanted] for wanted in events]


def nothing_is_wrong(deployment: Deployment, host: str) -> None:
    """Check all invariants, and wait until no container of the accepted jobs is left."""
    eventually(lambda: not containers_of(host, deployment.accepted), "no container is left")
    with deployment.redis.client() as client:
        assert violations(client, deployment.accepted, over=True, containers=host) == []


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until it holds; it fails after a minute."""
    until = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < until, f"never came true: {what}"
        time.sleep(_LOOK_S)


def remove_boxes(host: str, job_ids: list[str]) -> None:
    """Remove what a test left in an engine that others use too."""
    client = docker.APIClient(base_url=host)
    try:
        for _, name in containers_of(host, job_ids):
            client.remove_container(name.removeprefix("/"), force=True)
    except docker.errors.NotFound:
        pass
    finally:
        client.close()
