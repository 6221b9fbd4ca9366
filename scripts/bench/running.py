"""Starts one side at a time: the service or the reference, each a process of its own, and ends it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
import psutil

from scripts.bench import installed
from scripts.bench.ground import Ground, free_port

_START_S: Final = 60.0
_TIMEOUT_S: Final = 30.0
_STOP_S: Final = 60.0
_LOOK_S: Final = 0.05
# What the machine has set must not change what is measured.
_OURS: Final = ("CHEF_", "REDIS_", "WORKER_", "MAX_CONCURRENT_", "PORT", "NODE_ENV", "CONVEX_", "PYTHON")


@attrs.frozen(kw_only=True)
class Side:
    """A side that answers requests."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def events(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Returns: the records of that event in the log of ours, so far."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        return [record for record in records if record.get("event") == name]

    def post(self, body: Mapping[str, Any]) -> str:
        """Returns: the id of a new job."""
        return str(self._answer("POST", "/api/jobs", dict(body))["jobId"])

    def stats(self, queue: str = "builds") -> dict[str, int]:
        """Returns: the counts of that queue."""
        counts: dict[str, int] = self._answer("GET", "/api/stats")["queues"][queue]
        return counts

    def resident_bytes(self) -> int:
        """Returns: of the process and all below it."""
        return sum(one.memory_info().rss for one in self._processes())

    def cpu_s(self) -> float:
        """Returns: what all of them used since they started."""
        return sum(sum(one.cpu_times()[:2]) for one in self._processes())

    def _processes(self) -> Sequence[psutil.Process]:
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def _answer(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, self.url + path, json=body, timeout=_TIMEOUT_S, trust_env=False)
        return answer.raise_for_status().json()


@contextmanager
def service(ground: Ground, *, module: str = "chef_supervisor", **env: str) -> Iterator[Side]:
    """Yields: ours as shipped, or what runs it; its log in a file; `null` is the sandbox, and what is given besides."""
    port = free_port()
    given = {
        "PORT": str(port),
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(ground.redis.port),
        "NODE_ENV": "bench",
        "CHEF_SANDBOX": "null",
        "CHEF_STATE_DIR": str(ground.folder / "state"),
        "CHEF_LOG_FORMAT": "json",
        # A bound, not a feature: more is asked for here than one queue takes by default.
        "CHEF_QUEUE_MAX_JOBS": "2000000",
    }
    with _running([sys.executable, "-m", module, "serve"], port, ground.folder, given | env) as side:
        yield side


@contextmanager
def reference(ground: Ground, concurrency: int) -> Iterator[Side]:
    """Yields: the reference; 0: without workers."""
    port = free_port()
    given = {"PORT": str(port), "REDIS_PORT": str(ground.redis.port), "CONCURRENCY": str(concurrency)}
    # As Express is meant to be run.
    given |= {"NODE_ENV": "production"}
    program = installed.reference(ground.built) / "service.js"
    with _running([str(installed.NODE), str(program)], port, ground.folder, given) as side:
        yield side


@contextmanager
def _running(argv: Sequence[str], port: int, folder: Path, env: Mapping[str, str]) -> Iterator[Side]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    log = folder / "side.log"
    with log.open("wb") as told:
        process = subprocess.Popen(argv, env={**inherited, **env}, cwd=installed.ROOT, stdout=told, stderr=told)
    side = Side(url=f"http://127.0.0.1:{port}", process=process, log=log)
    try:
        _until_it_answers(side)
        yield side
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_it_answers(side: Side) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and side.process.poll() is None:
        try:
            if httpx.get(f"{side.url}/api/health", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_LOOK_S)
    raise RuntimeError(f"{side.process.args!r} did not come up:\n{side.log.read_text(encoding='utf-8')[-3000:]}")
