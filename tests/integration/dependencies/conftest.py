"""Both sandboxes, one after the other, each with a store of dependencies of its own."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import attrs
import docker
import docker.errors
import pytest
import pytest_asyncio

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.sandbox import Sandbox
from tests.integration.sandboxes.conftest import docker_config

# Makes the sandbox of one more supervisor; all of them share the store.
MakeSandbox: TypeAlias = Callable[[], Sandbox]


@pytest_asyncio.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "bubblewrap"])
async def make_sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MakeSandbox]:
    made: list[Sandbox] = []
    make, clean_up = _docker() if request.param == "docker" else _bubblewrap(tmp_path)

    def make_one() -> Sandbox:
        made.append(make())
        return made[-1]

    try:
        await make_one().probe()
    except SandboxUnavailable as error:
        pytest.skip(error.reason)
    yield make_one
    for sandbox in made:
        await sandbox.close()
    clean_up()


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()


def _docker() -> tuple[MakeSandbox, Callable[[], None]]:
    config = docker_config()
    config = attrs.evolve(config, volume=f"store-{config.instance}")

    def remove_store() -> None:
        client = docker.APIClient(base_url=config.host)
        with contextlib.closing(client), contextlib.suppress(docker.errors.NotFound):
            client.remove_volume(config.volume, force=True)

    return lambda: DockerSandbox(attrs.evolve(config, instance=f"test-{uuid.uuid4().hex}")), remove_store


def _bubblewrap(folder: Path) -> tuple[MakeSandbox, Callable[[], None]]:
    def make() -> Sandbox:
        data_dir = folder / "instances" / uuid.uuid4().hex / "boxes"
        data_dir.mkdir(parents=True)
        return BubblewrapSandbox(BubblewrapConfig(data_dir=data_dir, store=folder / "dependencies"))

    return make, lambda: None
