"""F4 and F5, from the boxes' side: what a killed supervisor leaves goes, and what others need stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import docker
import pytest

from tests.kit.deployment import Deployment, deployed
from tests.kit.docker_engine import require_image
from tests.kit.docker_faults import completed, eventually, nothing_is_wrong, on_docker, order_of, remove_boxes, running
from tests.kit.invariants import container_of
from tests.kit.own_engine import RUNNER_IMAGE
from tests.kit.service import STOP_S, Service

# Promised: 2 s after the restart; the process needs some to start, and the machine may be busy.
AGAIN_S: Final = 10.0
# As the service is shipped, so that no lease runs out before.
SHIPPED: Final = {"CHEF_QUEUE_LEASE_S": "10", "CHEF_QUEUE_RENEW_S": "3", "CHEF_QUEUE_REAP_S": "1"}
_MISCONFIGURED: Final = 78


@pytest.fixture
def host() -> str:
    """Returns: an engine that others use too, so it is not to be broken."""
    return require_image(RUNNER_IMAGE)


@pytest.fixture
def docker_client(host: str) -> Iterator[docker.APIClient]:
    """Yields: a client for looking behind the service."""
    client = docker.APIClient(base_url=host)
    yield client
    client.close()


def kill(service: Service) -> None:
    service.process.kill()
    service.process.wait(STOP_S)


def freeze_box(host: str, client: docker.APIClient, job_id: str) -> str:
    """
    Returns: the id of the job's box, which does not hear that its supervisor is gone, and goes on being there.

    A box ends by itself when its line does; one whose processes hang does not.
    """
    box = client.inspect_container(container_of(host, job_id))["Id"]
    client.pause(box)
    return str(box)


def is_there(client: docker.APIClient, box: str) -> bool:
    return any(one["Id"] == box for one in client.containers(all=True))


@pytest.mark.docker
def test_f5_a_restarted_supervisor_removes_its_live_boxes_before_their_jobs_run_again(
    host: str, docker_client: docker.APIClient, tmp_path: Path
) -> None:
    with on_docker(tmp_path, host, **SHIPPED) as deployment:
        service = deployment.serve("a")
        job_id = running(deployment, service, 2)
        box = freeze_box(host, docker_client, job_id)
        kill(service)
        assert is_there(docker_client, box)

        began = time.monotonic()
        again = deployment.serve("a")
        again.wait_for_event("job.processing", job_id=job_id)

        assert time.monotonic() - began < AGAIN_S
        assert not is_there(docker_client, box)
        assert again.wait_for_event("orphan.removed", handle=box)["job_id"] == job_id
        removed, claimed = order_of(again, ("orphan.removed", job_id), ("job.processing", job_id))
        assert removed < claimed
        completed(again, job_id)
        nothing_is_wrong(deployment, host)


@pytest.mark.docker
def test_f5_another_supervisor_removes_the_boxes_of_one_that_does_not_come_back(
    host: str, docker_client: docker.APIClient, tmp_path: Path
) -> None:
    with on_docker(tmp_path, host) as deployment:
        service, other = deployment.serve("a"), deployment.serve("b", MAX_CONCURRENT_WORKERS="1")
        ran = running(deployment, service, 2)
        claimant = next(one for one in (service, other) if has_claimed(one, ran))
        survivor = other if claimant is service else service
        box = freeze_box(host, docker_client, ran)
        kill(claimant)

        survivor.wait_for_event("orphan.removed", handle=box)

        assert not is_there(docker_client, box)
        completed(survivor, ran)
        nothing_is_wrong(deployment, host)


def has_claimed(service: Service, job_id: str) -> bool:
    return any(record.get("event") == "job.processing" and record.get("job_id") == job_id for record in service.records)


@pytest.mark.docker
def test_a_supervisor_that_lost_its_state_folder_knows_its_boxes_by_their_runs(
    host: str, docker_client: docker.APIClient, tmp_path: Path
) -> None:
    with on_docker(tmp_path, host, **SHIPPED) as deployment:
        service = deployment.serve("a")
        job_id = running(deployment, service, 2)
        box = freeze_box(host, docker_client, job_id)
        kill(service)

        began = time.monotonic()
        again = deployment.serve("a", CHEF_STATE_DIR=str(tmp_path / "elsewhere"))
        again.wait_for_event("job.processing", job_id=job_id)

        assert time.monotonic() - began < AGAIN_S
        again.wait_for_event("orphan.removed", handle=box)
        completed(again, job_id)
        nothing_is_wrong(deployment, host)


@pytest.mark.docker
def test_boxes_of_another_redis_and_of_nobody_are_left_alone(
    host: str, docker_client: docker.APIClient, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(on_docker(folder(tmp_path, name), host)) for name in ("ours", "theirs"))
        stranger = docker_client.create_container(RUNNER_IMAGE, labels={"chef.job": "x", "chef.run": "1"})["Id"]
        stack.callback(docker_client.remove_container, stranger, force=True)
        # The same name: they know nothing of each other.
        their_service = theirs.serve("a")
        their_job = running(theirs, their_service, 30)
        stack.callback(remove_boxes, host, [their_job])
        box = freeze_box(host, docker_client, their_job)
        kill(their_service)

        service = ours.serve("a")
        job_id = running(ours, service, 2)
        left = freeze_box(host, docker_client, job_id)
        kill(service)
        again = ours.serve("a")
        again.wait_for_event("orphan.removed", handle=left)
        completed(again, job_id)
        sweeps_of(again, ours)

        assert is_there(docker_client, box)
        assert is_there(docker_client, stranger)
        nothing_is_wrong(ours, host)


def sweeps_of(service: Service, deployment: Deployment) -> None:
    """Wait until it has swept at least once more: something to be swept is gone."""
    box_of_no_job = service.wait_for_event("sandbox.chosen")["instance"]
    client = docker.APIClient(base_url=deployment.env["DOCKER_HOST"])
    try:
        orphan = client.create_container(RUNNER_IMAGE, labels={"chef.supervisor": box_of_no_job})["Id"]
        service.wait_for_event("orphan.removed", handle=orphan)
    finally:
        client.close()


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def test_f5_folders_of_a_killed_supervisor_go_when_it_or_another_starts(tmp_path: Path) -> None:
    with deployed(tmp_path, CHEF_SANDBOX="bubblewrap", CHEF_SANDBOX_SWEEP_S="1") as deployment:
        left = [tmp_path / "state" / "instances" / name / "boxes" / "deps" / "job-1" for name in ("a", "gone")]
        for path in left:
            (path / "node_modules").mkdir(parents=True)

        service = deployment.serve("a")

        eventually(lambda: not any(path.exists() for path in left), "the folders are gone")
        completed(service, deployment.submit(service))
        assert deployment.violations() == []


def test_a_process_that_runs_no_jobs_is_no_instance(tmp_path: Path) -> None:
    with deployed(tmp_path) as deployment:
        service = deployment.serve("a")

        job_id = deployment.submit(deployment.serve("a", CHEF_ROLE="api"))

        completed(service, job_id)


def test_a_second_supervisor_of_the_same_name_is_refused(tmp_path: Path) -> None:
    with deployed(tmp_path) as deployment:
        service = deployment.serve("a")
        state_dir = service.wait_for_event("service.settings")["state_dir"]
        names = {"CHEF_SANDBOX": "null", "NODE_ENV": "test", "CHEF_INSTANCE": "a", "CHEF_STATE_DIR": state_dir}
        where = {"CHEF_REDIS_UNIX_SOCKET": str(deployment.redis.socket), "PORT": "0"}

        second = subprocess.run(
            [sys.executable, "-m", "chef_supervisor", "serve"],
            env={**os.environ, **names, **where},
            capture_output=True,
            text=True,
            timeout=STOP_S,
            check=False,
        )

        assert second.returncode == _MISCONFIGURED, second.stderr
        assert "CHEF_INSTANCE='a'" in second.stderr
        completed(service, deployment.submit(service))
