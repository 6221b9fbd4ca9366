"""The service as a process of its own, on embedded Redis, once with every sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.kit.docker_engine import require_image
from tests.kit.service import Service, started

RUNNER_IMAGE = "chef-runner:dev"
# Must not be found by any job.
SECRET = "canary-3f1c0a77"


def sandbox_environment(name: str) -> Mapping[str, str]:
    """Returns: what makes the service use that sandbox; skips (or fails) the test where it cannot."""
    where = {"DOCKER_HOST": require_image(RUNNER_IMAGE)} if name == "docker" else {}
    return {"CHEF_SANDBOX": name, **where}


@pytest.fixture(scope="module", params=[pytest.param("docker", marks=pytest.mark.docker), "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> str:
    """Each sandbox in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def service(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Yields: one for all tests of a module; its leases are short, so that what is lost is soon run again."""
    env = sandbox_environment(sandbox)
    state_dir = tmp_path_factory.mktemp("state")
    (state_dir / "canary").write_text(SECRET)
    shorter = {"CHEF_QUEUE_LEASE_S": "3", "CHEF_QUEUE_RENEW_S": "1"}
    with started(
        state_dir, "--embedded-redis", MAX_CONCURRENT_WORKERS="4", DEPLOY_SECRET=SECRET, **shorter, **env
    ) as running:
        yield running
