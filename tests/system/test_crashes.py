"""A box killed in the middle of its job: the service goes on, and the job ends."""

from __future__ import annotations

import json
from pathlib import Path

import docker
import psutil

from tests.kit.docker_engine import require_docker
from tests.kit.docker_faults import eventually
from tests.kit.invariants import container_of
from tests.kit.service import Service, told

# Long enough to be killed, short enough to be run again.
SLOW = {"package.json": json.dumps({"name": "slow", "scripts": {"test": "node -e 'setTimeout(() => {}, 3000)'"}})}


def kill_box(service: Service, sandbox: str, job_id: str) -> None:
    if sandbox == "bubblewrap":
        family = psutil.Process(service.process.pid).children(recursive=True)
        # PID 1 of the box: with it goes everything in it.
        [process for process in family if process.cmdline()[-1:] == ["/opt/chef/agent"]][-1].kill()
        return
    client = docker.DockerClient(base_url=require_docker())
    try:
        container = client.containers.get(container_of(require_docker(), job_id))
        container.kill("SIGKILL")
    finally:
        client.close()


def test_a_killed_box_costs_a_run_and_not_the_job(service: Service, sandbox: str) -> None:
    job_id = service.submit("test", SLOW)
    service.events_of(job_id, until=lambda event: event["progress"] > 0)
    with service.client() as client:
        running = client.get(f"/api/jobs/{job_id}").json()

    kill_box(service, sandbox, job_id)

    job = service.result_of(job_id)
    assert running["status"] == "processing"
    assert 0 < running["progress"] < 100
    assert (job["status"], job["runs"]) == ("completed", 2), told(job)
    service.wait_for_event("job.spoilt", job_id=job_id)


def test_nothing_is_left_of_boxes_when_their_jobs_are_over(service: Service, sandbox: str) -> None:
    script = "node -e 'require(\"is-number\")'"
    manifest = {"name": "x", "dependencies": {"is-number": "7.0.0"}, "scripts": {"build": script}}

    job = service.run("build", {"package.json": json.dumps(manifest)})

    assert job["status"] == "completed", told(job)
    eventually(lambda: not left_of_boxes(service, sandbox), "nothing is left of boxes")


def waits(name: str) -> bool:
    """Returns: whether it is a box that was started ahead of need, and that no job has."""
    return name.startswith("chef-warm-")


def left_of_boxes(service: Service, sandbox: str) -> list[object]:
    if sandbox == "bubblewrap":
        state_dir = Path(service.wait_for_event("service.settings")["state_dir"])
        family = psutil.Process(service.process.pid).children(recursive=True)
        return [*state_dir.glob("instances/*/boxes/deps/*"), *(one for one in family if one.name() == "bwrap")]
    client = docker.DockerClient(base_url=require_docker())
    instance = service.wait_for_event("sandbox.chosen")["instance"]
    ours: dict[str, str | list[str] | bool] = {"label": f"chef.supervisor={instance}"}
    try:
        boxes = [one for one in client.containers.list(all=True, filters=ours) if not waits(one.name or "")]
        return [*boxes, *client.volumes.list(filters=ours)]
    finally:
        client.close()
