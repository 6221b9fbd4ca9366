from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.deployment import Deployment, deployed
from tests.kit.docker_engine import require_image
from tests.kit.own_engine import engine_fixture, shared_engine
from tests.kit.redis_servers import own_redis_fixture, redis_server_fixture

__all__ = ["engine_fixture", "own_redis_fixture", "redis_server_fixture", "shared_engine"]

RUNNER_IMAGE = "chef-runner:dev"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Yields: a Redis of its own and no supervisor yet; jobs pass without boxes, leases are short."""
    with deployed(tmp_path) as made:
        yield made


@pytest.fixture
def docker_deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Yields: the same with containers."""
    with deployed(tmp_path, CHEF_SANDBOX="docker", DOCKER_HOST=require_image(RUNNER_IMAGE)) as made:
        yield made
