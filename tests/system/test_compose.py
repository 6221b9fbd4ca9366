"""compose.yaml as its users run it, with the images that scripts/images built."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import yaml

from tests.kit.docker_engine import missing, require_image

ROOT = Path(__file__).parents[2]
IMAGES = ("chef-supervisor:dev", "chef-runner:dev", "chef-redis:dev")
UP_S = 120.0

pytestmark = pytest.mark.docker


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def environment() -> Mapping[str, str]:
    """What Compose is told: ports of this test's own, and the Redis image that needs no registry."""
    hosts = {require_image(image) for image in IMAGES}
    if shutil.which("docker-compose") is None:
        missing("docker-compose is not installed")
    own = {
        "DOCKER_HOST": hosts.pop(),
        "COMPOSE_PROJECT_NAME": f"chef-test-{secrets.token_hex(4)}",
        "PUBLISHED_PORT": free_port(),
        "REDIS_PUBLISHED_PORT": free_port(),
        "CHEF_REDIS_IMAGE": "chef-redis:dev",
    }
    return os.environ | own


def compose(environment: Mapping[str, str], *arguments: str) -> str:
    command = ["docker-compose", "-f", "compose.yaml", *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def running(environment: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Yields: a client of the service that Compose started; all of it is gone afterwards, volumes included."""
    command = [str(ROOT / "scripts" / "compose")]
    try:
        # --wait is unknown to 1.29; the client below waits for the service instead.
        subprocess.run([*command, "up", "--detach", "--no-build"], env=environment, check=True, timeout=UP_S)
        transport = httpx.HTTPTransport(retries=30)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{environment['PUBLISHED_PORT']}", timeout=60, transport=transport
        ) as client:
            yield client
    finally:
        subprocess.run([*command, "logs", "supervisor"], env=environment, check=False, timeout=60)
        subprocess.run([*command, "down", "--volumes", "--timeout", "20"], env=environment, check=True, timeout=UP_S)


def test_docker_compose_1_29_reads_it_and_nothing_is_published_beyond_loopback(environment: Mapping[str, str]) -> None:
    services = yaml.safe_load(compose(environment, "config"))["services"]

    published = [str(port) for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert all("healthcheck" in services[name] for name in ("redis", "supervisor"))


def wait_until_healthy(client: httpx.Client) -> None:
    for _ in range(1000):
        try:
            if client.get("/api/health").is_success:
                return
        except (httpx.RemoteProtocolError, httpx.ReadError):
            continue  # the engine's proxy takes connections before the service does
    pytest.fail("the service did not come up")


def test_redis_and_supervisor_come_up_and_finish_a_job(running: httpx.Client) -> None:
    wait_until_healthy(running)
    files = {"package.json": json.dumps({"name": "x", "scripts": {"build": "mkdir dist && echo made > dist/made.txt"}})}
    body = {"type": "build", "data": {"chatId": "compose", "projectFiles": files}}

    queued = running.post("/api/jobs", json=body)
    job = running.get(queued.headers["location"], params={"wait": 30}).json()

    assert job["status"] == "completed", job
    assert [artifact["path"] for artifact in job["result"]["artifacts"]] == ["dist/made.txt"]
