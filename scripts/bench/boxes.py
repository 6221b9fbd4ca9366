"""The service with its boxes in a Docker Engine, and the engine by itself with containers that are made in the same way."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import docker
import docker.utils

from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.container import SUPERVISOR_LABEL, parameters
from chef_supervisor.sandboxes.docker.lifecycle import require_image
from chef_supervisor.sandboxes.docker.mounts import StoredVolume
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role
from scripts.bench.ground import Ground
from scripts.bench.running import Side, service

# As shipped.
LIMITS: Final = Limits(memory_bytes=512 << 20, cpus=1, pids=256, workspace_bytes=256 << 20)
_WARM: Final = 2
# One for all runs: what they would leave behind otherwise grew.
_VOLUME: Final = "chef-deps-bench"
_LABEL: Final = "chef.bench"
_NOTHING: Final = ("true",)
_IDLE_WITHIN_S: Final = 30.0
_LOOK_S: Final = 0.02
# From where the engine says that a container runs to where the service knows that its agent is ready, and a bit.
_SETTLE_S: Final = 0.3
_CALL_TIMEOUT_S: Final = 60


@attrs.frozen
class BareBoxes:
    """Containers with the walls and limits of a job's box, and none of our code in them."""

    client: docker.APIClient

    def nothing(self) -> None:
        """
        Create one, start it, wait until it has done nothing, and remove it.

        Raises:
            DockerException, RuntimeError: it did not go well.
        """
        with self.created(_NOTHING) as container:
            self.client.start(container)
            if code := self.client.wait(container)["StatusCode"]:
                raise RuntimeError(f"a container that was to do nothing ended with {code}")

    @contextmanager
    def created(self, command: Sequence[str]) -> Iterator[str]:
        """Yields: the id of a container that runs it when it is started; removed in the end."""
        name = f"chef-bench-{secrets.token_hex(8)}"
        order = BoxOrder(name=name, role=Role.JOB, limits=LIMITS)
        asked: dict[str, Any] = parameters(self.client, DockerConfig(), "", order, StoredVolume(_VOLUME))
        # With our labels a supervisor would take it for what another one left.
        changed = {"labels": {_LABEL: ""}, "entrypoint": list(command), "stdin_open": False}
        container = str(self.client.create_container(**asked | changed)["Id"])
        try:
            yield container
        finally:
            self.client.remove_container(container, v=True, force=True)


@contextmanager
def engine() -> Iterator[docker.APIClient]:
    """
    Yields: a client of the engine that DOCKER_HOST names.

    Raises:
        SystemExit: none answers, or it lacks the runner image.
    """
    try:
        client = docker.APIClient(**docker.utils.kwargs_from_env(), version="auto", timeout=_CALL_TIMEOUT_S)
        require_image(client, DockerConfig().image)
    except docker.errors.DockerException as error:
        raise SystemExit(
            f"this needs a Docker Engine (scripts/engine) with the runner image (scripts/images): {error}"
        ) from error
    try:
        yield client
    finally:
        client.close()


@contextmanager
def docker_service(ground: Ground, **env: str) -> Iterator[Side]:
    """Yields: the service as shipped, with Docker; and what is given besides."""
    with service(ground, **{"CHEF_SANDBOX": "docker", "CHEF_DEPENDENCIES_VOLUME": _VOLUME} | env) as side:
        yield side


def until_idle(side: Side, client: docker.APIClient) -> None:
    """
    Wait until the service has as many containers waiting as it keeps, and no others.

    Raises:
        RuntimeError: that did not come about.
    """
    mark = side.events("sandbox.chosen")[0]["instance"]
    deadline = time.monotonic() + _IDLE_WITHIN_S
    while not _at_rest(ours := client.containers(all=True, filters={"label": f"{SUPERVISOR_LABEL}={mark}"})):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the service did not come to rest; it has {[one['Names'] for one in ours]}")
        time.sleep(_LOOK_S)
    time.sleep(_SETTLE_S)


def _at_rest(ours: Sequence[Mapping[str, Any]]) -> bool:
    waiting = [one for one in ours if one["State"] == "running" and one["Names"][0].startswith("/chef-warm-")]
    return len(ours) == len(waiting) == _WARM
