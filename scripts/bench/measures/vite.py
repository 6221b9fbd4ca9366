"""What a build costs beside its tools: with its dependencies cached, and without; and how often eight jobs install one lock."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from scripts.bench.bare import Bare, BareLimits, bare_container
from scripts.bench.boxes import LIMITS, docker_service, engine, until_idle
from scripts.bench.calls import build, caller
from scripts.bench.ground import Ground
from scripts.bench.row import Row, at_most
from scripts.bench.running import Side
from tests.kit import sample_projects

_COMMAND: Final = "node_modules/.bin/tsc -b && node_modules/.bin/vite build"
_LEFT_BEHIND: Final = ("dist", "node_modules/.tmp", "node_modules/.vite")
_AT_ONCE: Final = 8
_CERTIFICATES: Final = "CHEF_EXTRA_CA_CERTS"


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: three rows. The service stays up for all of it, idle while it is the other side's turn."""
    project = sample_projects.load("web")
    files = {path: text.encode() for path, text in project.items()}
    limits = BareLimits(memory_bytes=LIMITS.memory_bytes, cpus=LIMITS.cpus)
    given = {"MAX_CONCURRENT_WORKERS": str(_AT_ONCE), _CERTIFICATES: os.environ.get(_CERTIFICATES, "")}
    with docker_service(ground, **given) as side, caller(side) as calls, bare_container(limits, files) as bare:
        bare.prepare("npm ci --no-audit --no-fund")
        calls.completed_s(build(project))
        bare_s, cached_s = _in_turn(ground, side, bare, build(project))
        cold_s = [calls.completed_s(_with_another_key(project)) for _ in range(ground.rounds)]
        installs = _installs_of_many(side, _with_another_key(project))
    return [
        Row(
            what="cached Vite build, POST to completed",
            unit="s",
            target=at_most(1.10),
            theirs="tsc -b && vite build in a running container",
            our_runs=cached_s,
            their_runs=bare_s,
        ),
        Row(
            what="cached Vite build, POST to completed",
            unit="s",
            target=at_most(0.25),
            theirs="ourselves with a cold cache",
            our_runs=cached_s,
            their_runs=cold_s,
        ),
        Row(
            what=f"installs of {_AT_ONCE} jobs with one new lock file",
            unit="",
            target=at_most(1, ratio=False),
            theirs="",
            our_runs=[installs],
        ),
    ]


def _in_turn(ground: Ground, side: Side, bare: Bare, body: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    bare_s: list[float] = []
    cached_s: list[float] = []
    with engine() as client, caller(side) as calls:
        for number in range(ground.rounds):
            # What the service starts ahead of need is not to cost the other side its time.
            until_idle(side, client)
            bare_s.append(bare.time_s(_COMMAND, _LEFT_BEHIND))
            cached_s.append(calls.completed_s(body))
            ground.console.print(f"round {number + 1}: bare {bare_s[-1]:.3f} s, cached {cached_s[-1]:.3f} s")
    return bare_s, cached_s


def _with_another_key(project: Mapping[str, str]) -> Mapping[str, Any]:
    """Returns: a build of the same project to its tools, and of one never seen to the cache of dependencies."""
    manifest = json.loads(project["package.json"]) | {"description": secrets.token_hex(8)}
    return build({**project, "package.json": json.dumps(manifest)})


def _installs_of_many(side: Side, body: Mapping[str, Any]) -> int:
    def run(_: int) -> Mapping[str, Any]:
        with caller(side) as calls:
            return calls.completed(calls.post(body))

    before = _installs(side)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(run, range(_AT_ONCE)))
    return _installs(side) - before


def _installs(side: Side) -> int:
    return len(side.events("dependencies.installed"))
