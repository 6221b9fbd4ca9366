"""What carries our labels in an engine; every function runs in a thread of the engine's pool."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import docker
import docker.errors

from chef_supervisor.domain.job import JobId, RunId
from chef_supervisor.sandboxes.docker.box_names import read_taken
from chef_supervisor.sandboxes.docker.container import JOB_LABEL, REALM_LABEL, ROLE_LABEL, RUN_LABEL, SUPERVISOR_LABEL
from chef_supervisor.sandboxes.docker.trouble import EngineFault
from chef_supervisor.sandboxes.docker.volume import remove_volume
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind
from chef_supervisor.sandboxes.sandbox import Role

_ENDED: Final = ("exited", "dead")
# Between its creation and its start lie milliseconds; the engine's clock may be another one.
_START_S: Final = 3600
_OURS: Final = {"label": SUPERVISOR_LABEL}


def marked(client: docker.APIClient) -> list[tuple[str, Leftover]]:
    """Returns: the name of each container, network and volume of any supervisor, and what it would be as a leftover."""
    return [*_containers(client), *_networks(client), *_volumes(client)]


def remove_leftover(client: docker.APIClient, leftover: Leftover) -> None:
    """
    Remove it, if it is there.

    Raises:
        DockerException: the engine could not.
    """
    match leftover.kind:
        case LeftoverKind.CONTAINER:
            _remove_container(client, leftover.handle)
        case LeftoverKind.VOLUME:
            remove_volume(client, leftover.handle)
        case LeftoverKind.NETWORK:
            _remove_network(client, leftover.handle)
        case LeftoverKind.FOLDER:
            raise EngineFault(f"{leftover.handle} is no engine's")


def _containers(client: docker.APIClient) -> Iterator[tuple[str, Leftover]]:
    for found in client.containers(all=True, filters=_OURS):
        # One that is being removed has lost its names already.
        name = next(iter(found["Names"] or ()), "").removeprefix("/")
        leftover = _leftover(LeftoverKind.CONTAINER, found["Id"], found["Labels"])
        taken = read_taken(name) if leftover.role == Role.WARM else None
        yield name, attrs.evolve(leftover, run=taken.run if taken else leftover.run, over=_is_over(found))


def _is_over(found: Mapping[str, Any]) -> bool:
    state = found["State"]
    return state in _ENDED or (state == "created" and found["Created"] < time.time() - _START_S)


def _networks(client: docker.APIClient) -> Iterator[tuple[str, Leftover]]:
    for found in client.networks(filters=_OURS):
        yield found["Name"], _leftover(LeftoverKind.NETWORK, found["Id"], found["Labels"])


def _volumes(client: docker.APIClient) -> Iterator[tuple[str, Leftover]]:
    for found in client.volumes(filters=_OURS)["Volumes"] or ():
        yield found["Name"], _leftover(LeftoverKind.VOLUME, found["Name"], found["Labels"])


def _leftover(kind: LeftoverKind, handle: str, labels: Mapping[str, Any]) -> Leftover:
    return Leftover(
        handle=handle,
        kind=kind,
        role=labels.get(ROLE_LABEL, ""),
        instance=labels.get(SUPERVISOR_LABEL, ""),
        realm=labels.get(REALM_LABEL, ""),
        run=_run(labels),
    )


def _run(labels: Mapping[str, str]) -> RunId | None:
    number = labels.get(RUN_LABEL, "")
    if not labels.get(JOB_LABEL) or not number.isdecimal():
        return None
    return RunId(JobId(labels[JOB_LABEL]), int(number))


def _remove_container(client: docker.APIClient, container: str) -> None:
    # One that is being removed, by somebody else or for ever, is not gone: the engine's 409 is a failure here.
    try:
        client.remove_container(container, v=True, force=True)
    except docker.errors.NotFound:
        return


def _remove_network(client: docker.APIClient, network: str) -> None:
    try:
        client.remove_network(network)
    except docker.errors.NotFound:
        return
