"""Installed dependencies as a named volume, made for one use."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

import attrs
import docker
import docker.errors

from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.container import SUPERVISOR_LABEL
from chef_supervisor.sandboxes.docker.handover import Handover

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")


@attrs.frozen
class DependencyVolume:
    """A volume that boxes see as `/deps`; the runner image has that folder owned by the box's user, so it is theirs."""

    name: str


def volume_name(name: str) -> str:
    """Returns: what the volume for dependencies of that name is called."""
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name for dependencies"
        raise ValueError(msg)
    return f"chef-deps-{name}"


def make_volume(client: docker.APIClient, config: DockerConfig, name: str, handover: Handover) -> None:
    """
    Make an empty volume. One of that name left behind by this supervisor is removed first.

    Raises:
        DockerException: it is somebody else's, or in use, or cannot be made.
    """
    # The engine would hand out the old one without a word.
    try:
        old = client.inspect_volume(name)
    except docker.errors.NotFound:
        pass
    else:
        if (old.get("Labels") or {}).get(SUPERVISOR_LABEL) != config.instance:
            raise docker.errors.DockerException(f"volume {name} exists and is not ours")
        client.remove_volume(name)
    client.create_volume(name, labels={SUPERVISOR_LABEL: config.instance, "chef.role": "dependencies"})
    handover.hand(name, partial(remove_volume, client, name))


def remove_volume(client: docker.APIClient, name: str) -> None:
    """Remove it, if it is there."""
    try:
        client.remove_volume(name, force=True)
    except docker.errors.NotFound:
        return
