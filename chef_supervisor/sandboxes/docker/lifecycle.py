"""A box's container from its creation to its removal; every function runs in a thread of the engine's pool."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import docker
import docker.errors

from chef_supervisor.domain.work import EndedBy
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.container import SUPERVISOR_LABEL, faults, parameters
from chef_supervisor.sandboxes.docker.handover import Handover
from chef_supervisor.sandboxes.sandbox import BoxOrder

_CONFLICT: Final = 409
_DEAD: Final = ("created", "exited", "dead")


def require_image(client: docker.APIClient, image: str) -> None:
    """
    Nothing is pulled.

    Raises:
        ImageNotFound: the engine does not have it.
    """
    client.inspect_image(image)  # type: ignore[no-untyped-call]


def create(
    client: docker.APIClient, config: DockerConfig, order: BoxOrder, volume: str | None, handover: Handover
) -> str:
    """
    Returns: the id of a new container, whose limits and walls are in place; handed over as soon as it exists.

    Raises:
        DockerException: the name is taken, or the engine refuses, or did not do as it was asked.
    """
    asked = parameters(client, config, order, volume)
    try:
        container = client.create_container(**asked)["Id"]
    except docker.errors.APIError as error:
        if error.status_code != _CONFLICT or not _clear_the_way(client, config, order.name):
            raise
        container = client.create_container(**asked)["Id"]
    handover.hand(container, partial(remove, client, container))
    if missing := faults(client.inspect_container(container), order, volume):
        raise docker.errors.DockerException(f"the engine did not apply {', '.join(missing)}; see `docker info`")
    return str(container)


def _clear_the_way(client: docker.APIClient, config: DockerConfig, name: str) -> bool:
    """Returns: whether the container of that name was ours and dead; it is removed then."""
    try:
        old = client.inspect_container(name)
    except docker.errors.NotFound:
        return True
    ours = (old["Config"].get("Labels") or {}).get(SUPERVISOR_LABEL) == config.instance
    if not ours or old["State"]["Status"] not in _DEAD:
        return False
    remove(client, old["Id"])
    return True


def remove(client: docker.APIClient, container: str) -> None:
    """Kill and remove it, if it is there."""
    try:
        client.remove_container(container, v=True, force=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        # "removal ... is already in progress": somebody else does it.
        if error.status_code != _CONFLICT:
            raise


def why_ended(client: docker.APIClient, container: str, timeout_s: float) -> EndedBy:
    """
    Returns: what the engine knows of the end of a box that gave no verdict; waits for that end.

    `OOMKilled` is not to be trusted with cgroup v2, and 137 is any SIGKILL, so OOM may be called KILLED.
    """
    try:
        # A thread that waits for ever would keep this process from ending.
        client.wait(container, timeout=int(timeout_s))
        state: dict[str, Any] = client.inspect_container(container)["State"]
    except docker.errors.NotFound:
        return EndedBy.KILLED
    return EndedBy.OOM if state.get("OOMKilled") else EndedBy.KILLED
