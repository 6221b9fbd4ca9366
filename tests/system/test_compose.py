"""compose.yaml as its users run it, with the images that scripts/images built."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import shutil
import socket
import subprocess
import threading
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


def wait_until_listening(command: list[str], environment: Mapping[str, str]) -> None:
    """Follow the service's log until it says so; docker-compose 1.29 knows no --wait."""
    follow = [*command, "logs", "--follow", "--no-color", "supervisor"]
    with subprocess.Popen(follow, env=environment, stdout=subprocess.PIPE, text=True) as logs:
        watchdog = threading.Timer(UP_S, logs.kill)
        watchdog.start()
        try:
            assert logs.stdout is not None
            said = list(itertools.takewhile(lambda line: "api.listening" not in line, logs.stdout))
            assert logs.poll() is None, "".join(said)
        finally:
            watchdog.cancel()
            logs.kill()


@pytest.fixture
def running(environment: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Yields: a client of the service that Compose started; all of it is gone afterwards, volumes included."""
    command = [str(ROOT / "scripts" / "compose")]
    try:
        subprocess.run([*command, "up", "--detach", "--no-build"], env=environment, check=True, timeout=UP_S)
        wait_until_listening(command, environment)
        with httpx.Client(base_url=f"http://127.0.0.1:{environment['PUBLISHED_PORT']}", timeout=60) as client:
            yield client
    finally:
        subprocess.run([*command, "logs", "supervisor"], env=environment, check=False, timeout=60)
        subprocess.run([*command, "down", "--volumes", "--timeout", "20"], env=environment, check=True, timeout=UP_S)


def test_docker_compose_1_29_reads_it_and_nothing_is_published_beyond_loopback(environment: Mapping[str, str]) -> None:
    services = yaml.safe_load(compose(environment, "config"))["services"]

    assert "1.29" in compose(environment, "version", "--short")
    published = [str(port) for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert all("healthcheck" in services[name] for name in ("redis", "supervisor", "redis-commander"))
    assert services["redis-commander"]["ports"] == ["127.0.0.1:8081:8081/tcp"]
    assert services["redis-commander"]["profiles"] == ["debug"]


def test_redis_and_supervisor_come_up_and_finish_a_job(running: httpx.Client) -> None:
    files = {"package.json": json.dumps({"name": "x", "scripts": {"build": "mkdir dist && echo made > dist/made.txt"}})}
    body = {"type": "build", "data": {"chatId": "compose", "projectFiles": files}}

    queued = running.post("/api/jobs", json=body)
    job = running.get(queued.headers["location"], params={"wait": 30}).json()

    assert job["status"] == "completed", job
    assert [artifact["path"] for artifact in job["result"]["artifacts"]] == ["dist/made.txt"]
