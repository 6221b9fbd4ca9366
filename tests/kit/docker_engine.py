"""Where the Docker Engine of the tests is. CHEF_REQUIRE_DOCKER=1 makes a missing one a failure instead of a skip."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import docker
import docker.errors
import pytest
import requests.exceptions
from docker.models.containers import Container


@functools.cache
def docker_host() -> str | None:
    """Returns: the DOCKER_HOST of an engine that answers; None where none does. One that is set is the only one asked."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    candidates = ["unix:///var/run/docker.sock", f"unix://{state}/chef-supervisor/engine/docker.sock"]
    if set_one := os.environ.get("DOCKER_HOST"):
        candidates = [set_one]
    return next((host for host in candidates if _answers(host)), None)


def require_docker() -> str:
    """Returns: the DOCKER_HOST; skips the test, or fails it, where no engine answers."""
    host = docker_host()
    if host is None:
        missing("no Docker Engine answers; scripts/engine starts one")
    return host


def require_image(image: str) -> str:
    """Returns: the DOCKER_HOST of an engine that has the image; skips the test, or fails it, where there is none."""
    host = require_docker()
    if not has_image(host, image):
        missing(f"the engine has no image {image}; scripts/images builds it")
    return host


def has_image(host: str, image: str) -> bool:
    """Returns: whether that engine has it."""
    client = docker.DockerClient(base_url=host)
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        return False
    finally:
        client.close()
    return True


def is_removed(container: Container, within_s: float) -> None:
    """Return once it is; it may be already."""
    with suppress(docker.errors.NotFound):
        container.wait(timeout=within_s, condition="removed")


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where Docker is required."""
    if os.environ.get("CHEF_REQUIRE_DOCKER") == "1":
        pytest.fail(f"CHEF_REQUIRE_DOCKER=1, but {what}")
    pytest.skip(what)


def _answers(host: str) -> bool:
    # docker-py leaves its socket open where nobody listens, and the collector would complain of it later.
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return False
    try:
        client = docker.DockerClient(base_url=host, timeout=10)
    except (docker.errors.DockerException, requests.exceptions.RequestException):
        return False
    try:
        return bool(client.ping())
    except (docker.errors.DockerException, requests.exceptions.RequestException):
        return False
    finally:
        client.close()
