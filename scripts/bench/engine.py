"""
What a build costs beside its tools: with its dependencies cached, and without; and how often eight jobs install one lock.

    ./scripts/just bench-engine [--rounds N]

The sides take turns in one run, on one machine, the other one idle. Exit code 1: a target was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import attrs
import docker
import httpx
from rich.console import Console
from rich.table import Table

from scripts.bench.bare import BareLimits, bare_container
from tests.kit import sample_projects
from tests.kit.docker_engine import require_image
from tests.kit.service import Service, started, told
from tests.kit.tool_container import IMAGE

# As shipped.
_LIMITS: Final = BareLimits(memory_bytes=512 << 20, cpus=1)
_COMMAND: Final = "node_modules/.bin/tsc -b && node_modules/.bin/vite build"
_LEFT_BEHIND: Final = ("dist", "node_modules/.tmp", "node_modules/.vite")
_CACHED_TARGET: Final = 1.10
_COLD_TARGET: Final = 0.25
_AT_ONCE: Final = 8
_LEAST_ROUNDS: Final = 5
_WARM: Final = 2
_IDLE_WITHIN_S: Final = 10.0
_LOOK_S: Final = 0.05
console: Final = Console()


@attrs.frozen(kw_only=True)
class Figures:
    """Medians in seconds, and how many installs eight jobs with one new lock file made."""

    bare_s: float
    cached_s: float
    cold_s: float
    installs: int

    @property
    def met(self) -> bool:
        """Whether every target is."""
        return self.to_bare <= _CACHED_TARGET and self.to_cold <= _COLD_TARGET and self.installs == 1

    @property
    def to_bare(self) -> float:
        """Cached, beside the bare tools."""
        return self.cached_s / self.bare_s

    @property
    def to_cold(self) -> float:
        """Cached, beside cold."""
        return self.cached_s / self.cold_s

    def table(self) -> Table:
        """Returns: all of it for a person."""
        table = Table("", "ours", "theirs", "ratio", "target", "met", title="build of the sample web project")
        for name, theirs_s, ratio, target in (
            ("cached, to bare tsc -b && vite build", self.bare_s, self.to_bare, _CACHED_TARGET),
            ("cached, to cold", self.cold_s, self.to_cold, _COLD_TARGET),
        ):
            met = "yes" if ratio <= target else "no"
            table.add_row(name, f"{self.cached_s:.3f} s", f"{theirs_s:.3f} s", f"{ratio:.2f}", f"<= {target:.2f}", met)
        one = "yes" if self.installs == 1 else "no"
        table.add_row(f"installs of {_AT_ONCE} jobs with one new lock", str(self.installs), "", "", "= 1", one)
        return table


def main() -> None:
    """Run it; ends with the exit code."""
    parser = argparse.ArgumentParser(prog="just bench-engine", description="Times builds of the sample web project.")
    parser.add_argument("--rounds", type=int, default=_LEAST_ROUNDS, help=f"at least, and by default, {_LEAST_ROUNDS}")
    rounds = max(_LEAST_ROUNDS, parser.parse_args().rounds)
    os.environ["DOCKER_HOST"] = require_image(IMAGE)
    with tempfile.TemporaryDirectory(prefix="chef-bench-") as folder, _service(Path(folder)) as service:
        figures = _measure(service, sample_projects.load("web"), rounds)
    console.print(figures.table())
    console.print_json(json.dumps(attrs.asdict(figures)))
    sys.exit(0 if figures.met else 1)


def _service(folder: Path) -> AbstractContextManager[Service]:
    return started(
        folder,
        "--embedded-redis",
        CHEF_SANDBOX="docker",
        # A store of its own: nothing in it is of yesterday.
        CHEF_DEPENDENCIES_VOLUME=f"chef-deps-bench-{secrets.token_hex(4)}",
        WORKER_MEMORY_LIMIT=str(_LIMITS.memory_bytes),
        WORKER_CPU_LIMIT=str(_LIMITS.cpus),
        MAX_CONCURRENT_WORKERS=str(_AT_ONCE),
        CHEF_SANDBOX_WARM=str(_WARM),
    )


def _measure(service: Service, project: Mapping[str, str], rounds: int) -> Figures:
    files = {path: text.encode() for path, text in project.items()}
    bare_s: list[float] = []
    cached_s: list[float] = []
    with service.client() as client, bare_container(_LIMITS, files) as bare:
        bare.prepare("npm ci --no-audit --no-fund")
        _build_s(service, client, project)
        for number in range(rounds):
            _until_idle(service)
            bare_s.append(bare.time_s(_COMMAND, _LEFT_BEHIND))
            cached_s.append(_build_s(service, client, project))
            console.print(f"round {number + 1}: bare {bare_s[-1]:.3f} s, cached {cached_s[-1]:.3f} s")
        cold_s = [_build_s(service, client, _with_another_key(project)) for _ in range(rounds)]
    return Figures(
        bare_s=statistics.median(bare_s),
        cached_s=statistics.median(cached_s),
        cold_s=statistics.median(cold_s),
        installs=_installs_of_many(service, _with_another_key(project)),
    )


def _until_idle(service: Service) -> None:
    """Wait until the service has started what it keeps waiting: that is not to cost the other side its time."""
    instance = service.wait_for_event("sandbox.chosen")["instance"]
    client = docker.APIClient(base_url=os.environ["DOCKER_HOST"])
    ours = {"label": f"chef.supervisor={instance}", "name": "chef-warm-"}
    deadline = time.monotonic() + _IDLE_WITHIN_S
    while len(client.containers(filters=ours)) < _WARM and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    client.close()


def _build_s(service: Service, client: httpx.Client, project: Mapping[str, str]) -> float:
    """Returns: the time from POST to the answer that says completed."""
    body = {"type": "build", "data": {"chatId": "bench", "projectFiles": project}}
    began = time.monotonic()
    job_id = client.post("/api/jobs", json=body).raise_for_status().json()["jobId"]
    job = service.result_by(client, job_id)
    took_s = time.monotonic() - began
    if job["status"] != "completed":
        raise RuntimeError(told(job))
    return took_s


def _with_another_key(project: Mapping[str, str]) -> dict[str, str]:
    """Returns: the same project to its tools, and one never seen to the cache of dependencies."""
    manifest = json.loads(project["package.json"]) | {"description": secrets.token_hex(8)}
    return {**project, "package.json": json.dumps(manifest)}


def _installs_of_many(service: Service, project: Mapping[str, str]) -> int:
    before = _installs(service)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        jobs = list(pool.map(lambda _: service.run("build", project), range(_AT_ONCE)))
    failed = [job for job in jobs if job["status"] != "completed"]
    if failed:
        raise RuntimeError(told(failed[0]))
    return _installs(service) - before


def _installs(service: Service) -> int:
    return sum(record.get("event") == "dependencies.installed" for record in service.records)


if __name__ == "__main__":
    main()
