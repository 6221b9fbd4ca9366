"""Both sandboxes, one after the other: every test in this folder holds for each."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox
from chef_supervisor.sandboxes.config import BubblewrapConfig, DockerConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from tests.kit.docker_engine import require_image

IMAGE = os.environ.get("CHEF_SANDBOX_IMAGE", "chef-runner:dev")


def docker_config() -> DockerConfig:
    return DockerConfig(host=require_image(IMAGE), image=IMAGE, instance=f"test-{uuid.uuid4().hex}")


@pytest_asyncio.fixture
async def docker_sandbox() -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(docker_config())
    yield sandbox
    await sandbox.close()


@pytest_asyncio.fixture
async def bubblewrap_sandbox(tmp_path: Path) -> AsyncIterator[BubblewrapSandbox]:
    sandbox = BubblewrapSandbox(BubblewrapConfig(data_dir=tmp_path))
    try:
        await sandbox.probe()
    except SandboxUnavailable as error:
        pytest.skip(error.reason)
    yield sandbox
    await sandbox.close()


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> DockerSandbox | BubblewrapSandbox:
    chosen: DockerSandbox | BubblewrapSandbox = request.getfixturevalue(f"{request.param}_sandbox")
    return chosen
