"""Volumes for dependencies: one for each install, gone after it, and the store's, which stays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

import docker
import docker.errors

from chef_supervisor.domain.job import RunId
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.container import JOB_LABEL, RUN_LABEL, SUPERVISOR_LABEL, marks
from chef_supervisor.sandboxes.docker.handover import Handover
from chef_supervisor.sandboxes.docker.trouble import EngineFault

# What the store's volume carries: no mark of a supervisor, so that nobody's sweep takes it.
STORE_LABELS: Final = {"chef.store": "dependencies"}
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")


def volume_name(name: str) -> str:
    """Returns: what the volume for dependencies of that name is called."""
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name for dependencies"
        raise ValueError(msg)
    return f"chef-deps-{name}"


def volume_labels(config: DockerConfig, realm: str, run: RunId | None) -> dict[str, str]:
    """Returns: whose it is, and for which run."""
    of_run = {} if run is None else {JOB_LABEL: run.job_id, RUN_LABEL: str(run.number)}
    return {**marks(config, realm, "dependencies"), **of_run}


def make_volume(client: docker.APIClient, name: str, labels: Mapping[str, str], handover: Handover) -> None:
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
        if (old.get("Labels") or {}).get(SUPERVISOR_LABEL) != labels[SUPERVISOR_LABEL]:
            raise EngineFault(f"volume {name} exists and is not ours")
        client.remove_volume(name)
    client.create_volume(name, labels=dict(labels))
    handover.hand(name, partial(remove_volume, client, name))


def ensure_store(client: docker.APIClient, name: str) -> None:
    """
    Make the store's volume where it is missing.

    Raises:
        DockerException: it cannot be made.
    """
    # The engine hands out the one that is there.
    client.create_volume(name, labels=STORE_LABELS)


def remove_volume(client: docker.APIClient, name: str) -> None:
    """Remove it, if it is there."""
    try:
        client.remove_volume(name, force=True)
    except docker.errors.NotFound:
        return
