"""Runs a queue by itself: a program of one side that adds and processes jobs, and prints what it reached as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import attrs

from scripts.bench import installed
from scripts.bench.ground import Ground

CALLERS: Final = 50
JOBS: Final = 20_000
_WITHIN_S: Final = 900.0


@attrs.frozen(kw_only=True)
class Passed:
    """Jobs a second."""

    added_per_s: float
    processed_per_s: float


def ours_pass(ground: Ground, concurrency: int, jobs: int = JOBS) -> Passed:
    """Returns: our store."""
    return Passed(**_told(ground, _ours("pass", jobs, concurrency, CALLERS)))


def bullmq_pass(ground: Ground, concurrency: int, jobs: int = JOBS) -> Passed:
    """Returns: BullMQ on Node."""
    return Passed(**_told(ground, _bullmq(ground, "pass", jobs, concurrency, CALLERS)))


def peer_pass(ground: Ground, peer: str, jobs: int = JOBS, concurrency: int = CALLERS) -> Passed:
    """Returns: one of the Python queues in peers/."""
    python = installed.peers_python(ground.built, "bench-arq" if peer == "arq" else "bench")
    module = f"scripts.bench.peers.{peer}_queue"
    return Passed(**_told(ground, [str(python), "-m", module, str(jobs), str(concurrency), str(CALLERS)]))


def ours_fill(ground: Ground, jobs: int) -> float:
    """Returns: bytes a job."""
    return _told(ground, _ours("fill", jobs))["bytes_per_job"]


def bullmq_fill(ground: Ground, jobs: int) -> float:
    """Returns: bytes a job."""
    return _told(ground, _bullmq(ground, "fill", jobs))["bytes_per_job"]


def ours_beside(ground: Ground, waiting: int) -> float:
    """Returns: claimed and finished a second, with so many waiting; they are there already, or are added."""
    return _told(ground, _ours("beside", waiting))["processed_per_s"]


def bullmq_beside(ground: Ground, waiting: int) -> float:
    """Returns: processed a second, with so many waiting, which are added first."""
    return _told(ground, _bullmq(ground, "beside", waiting))["processed_per_s"]


def _ours(*words: object) -> Sequence[str]:
    return [sys.executable, "-m", "scripts.bench.our_store", *map(str, words)]


def _bullmq(ground: Ground, *words: object) -> Sequence[str]:
    program = installed.reference(ground.built) / "queue.js"
    return [str(installed.NODE), str(program), *map(str, words)]


def _told(ground: Ground, argv: Sequence[str]) -> dict[str, float]:
    env = os.environ | {"REDIS_PORT": str(ground.redis.port)}
    ended = subprocess.run(
        argv, env=env, cwd=installed.ROOT, capture_output=True, text=True, timeout=_WITHIN_S, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(argv)} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    told: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return told
