"""What a measurement stands on: a Redis of its own, a folder, and how often both sides take their turn."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from rich.console import Console

FigureT = TypeVar("FigureT")
_START_S: Final = 20.0
_STOP_S: Final = 30.0
_LOOK_S: Final = 0.1
_REWRITTEN_WITHIN_S: Final = 300.0
# As config/redis.conf has it, but for the bound: a million jobs are to fit.
_OPTIONS: Final = {
    "bind": "127.0.0.1",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
}


@attrs.frozen(kw_only=True)
class Redis:
    """A server that runs on this machine."""

    port: int
    process: subprocess.Popen[bytes]

    def client(self) -> redis.Redis:
        """Returns: a client that waits for a server that starts."""
        return redis.Redis(port=self.port, retry=Retry(ConstantBackoff(_LOOK_S), int(_START_S / _LOOK_S)))

    def flush(self) -> None:
        """Forget all, and wait until the file is as small as it gets."""
        with self.client() as client:
            client.flushall()
            client.script_flush()
            # One that it began by itself would be in the way of ours.
            self.settle()
            client.bgrewriteaof()
            client.config_resetstat()
        self.settle()

    def settle(self) -> None:
        """Wait until the server has nothing to do by itself."""
        deadline = time.monotonic() + _REWRITTEN_WITHIN_S
        while self._rewrites() and time.monotonic() < deadline:
            time.sleep(_LOOK_S)

    def version(self) -> str:
        """Returns: as 7.0.15."""
        return str(self._info("server")["redis_version"])

    def _rewrites(self) -> bool:
        told = self._info("persistence")
        return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])

    def _info(self, section: str) -> dict[str, Any]:
        with self.client() as client:
            told: dict[str, Any] = client.info(section)
            return told


@attrs.frozen(kw_only=True)
class Ground:
    """`folder` is gone afterwards. `built`: where what is compared with is installed; it stays."""

    folder: Path
    built: Path
    redis: Redis
    server: Path
    rounds: int
    console: Console

    def in_turn(self, sides: Mapping[str, Callable[[], FigureT]]) -> Mapping[str, list[FigureT]]:
        """Returns: what each side told in each round; Redis is flushed before every turn."""
        told: dict[str, list[FigureT]] = {name: [] for name in sides}
        for number in range(self.rounds):
            for name, measure in sides.items():
                self.redis.flush()
                told[name].append(measure())
                self.console.print(f"round {number + 1}, {name}: {told[name][-1]}", highlight=False)
        return told


@contextmanager
def ground(server: Path, built: Path, rounds: int, console: Console) -> Iterator[Ground]:
    """Yields: the ground, with its Redis up; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="chef-bench-") as name:
        folder = Path(name)
        with running_redis(server, folder / "redis") as own:
            yield Ground(folder=folder, built=built, redis=own, server=server, rounds=rounds, console=console)


@contextmanager
def running_redis(server: Path, folder: Path) -> Iterator[Redis]:
    """Yields: one more server of the same kind, empty."""
    folder.mkdir(parents=True)
    port = free_port()
    options = {**_OPTIONS, "port": str(port), "dir": str(folder)}
    argv = [str(server), *(part for name, value in options.items() for part in (f"--{name}", value))]
    own = Redis(port=port, process=subprocess.Popen(argv, stdout=subprocess.DEVNULL))
    try:
        with own.client() as client:
            client.ping()
        yield own
    finally:
        own.process.kill()
        own.process.wait(_STOP_S)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Returns: a port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
