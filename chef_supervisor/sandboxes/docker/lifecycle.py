"""A box's container from its creation to its removal; every function runs in a thread of the engine's pool."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import docker
import docker.errors

from chef_supervisor.domain.work import EndedBy
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.container import (
    JOB_LABEL,
    REALM_LABEL,
    RUN_LABEL,
    SUPERVISOR_LABEL,
    Seen,
    faults,
    labels,
    parameters,
)
from chef_supervisor.sandboxes.docker.handover import Handover
from chef_supervisor.sandboxes.docker.trouble import EngineFault
from chef_supervisor.sandboxes.sandbox import BoxOrder

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


def require_image(client: docker.APIClient, image: str) -> str:
    """
    Returns: its id. Nothing is pulled.

    Raises:
        ImageNotFound: the engine does not have it.
    """
    return str(client.inspect_image(image)["Id"])  # type: ignore[no-untyped-call]


def create(
    client: docker.APIClient,
    *,
    config: DockerConfig,
    realm: str,
    order: BoxOrder,
    seen: Seen,
    handover: Handover,
) -> str:
    """
    Returns: the id of a new container, whose limits and walls are in place; handed over as soon as it exists.

    Raises:
        DockerException: the name is taken, or the engine refuses, or did not do as it was asked.
    """
    asked = parameters(client, config, realm, order, seen)
    try:
        container = client.create_container(**asked)["Id"]
    except docker.errors.APIError as error:
        if error.status_code != _CONFLICT or not _clear_the_way(client, order.name, labels(config, realm, order)):
            raise
        container = client.create_container(**asked)["Id"]
    handover.hand(container, partial(remove, client, container))
    if missing := faults(client.inspect_container(container), order, seen):
        raise EngineFault(f"the engine did not apply {', '.join(missing)}; see `docker info`")
    return str(container)


def _clear_the_way(client: docker.APIClient, name: str, ours: Mapping[str, str]) -> bool:
    """Returns: whether the container of that name was ours to remove; it is gone then."""
    try:
        old = client.inspect_container(name)
    except docker.errors.NotFound:
        return True
    if not outlived(old["Config"].get("Labels") or {}, ours):
        return False
    remove(client, old["Id"])
    return True


def outlived(old: Mapping[str, str], ours: Mapping[str, str]) -> bool:
    """
    Returns: whether a container with the old labels is in the way of one with ours, and nobody can need it.

    A process starts no two of one name, so one with its own mark is from before it; an earlier run of the job is over.
    """
    if old.get(SUPERVISOR_LABEL) == ours[SUPERVISOR_LABEL]:
        return True
    same_job = all(old.get(label) and old[label] == ours.get(label) for label in (REALM_LABEL, JOB_LABEL))
    return same_job and _number(old) < _number(ours)


def _number(labels_of_run: Mapping[str, str]) -> float:
    number = labels_of_run.get(RUN_LABEL, "")
    return int(number) if number.isdecimal() else float("inf")


def rename(client: docker.APIClient, container: str, name: str) -> bool:
    """
    Returns: whether it has that name now; not where it is gone, or somebody else has the name.

    Raises:
        DockerException: the engine could not.
    """
    try:
        client.rename(container, name)
    except docker.errors.APIError as error:
        if error.status_code not in {_NOT_FOUND, _CONFLICT}:
            raise
        return False
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
