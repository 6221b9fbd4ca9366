"""
How many deliveries a second a receiver gets, whether one is lost, and what a sick receiver beside it costs.

    ./scripts/just bench-notifier [--jobs N] [--rounds N]

A real service on its embedded Redis, as shipped but for the sandbox, which runs nothing (`null`). The jobs are queued
before, by a process that runs none, so that submitting them costs nothing while it is timed. Twice: with jobs that were
cancelled, so that there is nothing to do but to tell their ends, and with jobs that are run and told at the same time.
The sick receiver stands where Convex would, and is to be told of every job too. Healthy alone and healthy beside it
take turns. Exit code 1: a target was missed.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import attrs
from rich.console import Console
from rich.table import Table

from scripts.bench.receiving import Arrivals, Receiving, receiving
from tests.kit.service import Service, started

_JOBS: Final = 1000
_ROUNDS: Final = 3
# What a sick receiver costs may be what telling it costs, and no more.
_BESIDE_SICK: Final = 0.8
_SUBMITTERS: Final = 8
_LOOK_S: Final = 0.1
# Nothing came for so long: the first retry of an end is after 5 s, the second after 5 min.
_QUIET_S: Final = 20.0
console: Final = Console()


@attrs.frozen(kw_only=True)
class Run:
    """`rate`: jobs told a second, from the first delivery to the last. `twice`: requests that told one again."""

    rate: float
    delivered: int
    lost: int
    twice: int

    @classmethod
    def of(cls, jobs: Collection[str], came: Arrivals) -> Run:
        """Returns: what became of those jobs."""
        times_s = sorted(came.first_s[job] for job in jobs if job in came.first_s)
        took_s = times_s[-1] - times_s[0] if times_s else 0.0
        return cls(
            rate=(len(times_s) - 1) / took_s if took_s else 0.0,
            delivered=len(times_s),
            lost=len(jobs) - len(times_s),
            twice=came.requests - came.jobs,
        )


@attrs.frozen(kw_only=True)
class Figures:
    """Runs with the healthy receiver alone, and with a sick one beside it."""

    alone: Sequence[Run]
    beside_sick: Sequence[Run]

    @property
    def alone_per_s(self) -> float:
        """Median of deliveries a second."""
        return statistics.median(run.rate for run in self.alone)

    @property
    def beside_sick_per_s(self) -> float:
        """Median of deliveries a second to the healthy one."""
        return statistics.median(run.rate for run in self.beside_sick)

    @property
    def ratio(self) -> float:
        """What is left of the healthy receiver's rate."""
        return self.beside_sick_per_s / self.alone_per_s if self.alone_per_s else 0.0

    @property
    def delivered(self) -> int:
        """Over all runs."""
        return sum(run.delivered for run in (*self.alone, *self.beside_sick))

    @property
    def lost(self) -> int:
        """Over all runs."""
        return sum(run.lost for run in (*self.alone, *self.beside_sick))

    @property
    def met(self) -> bool:
        """Whether the targets are."""
        return self.lost == 0 and self.ratio >= _BESIDE_SICK


def main() -> None:
    """Run it; ends with the exit code."""
    parser = argparse.ArgumentParser(
        prog="just bench-notifier", description="Counts deliveries, and those that are lost."
    )
    parser.add_argument("--jobs", type=int, default=_JOBS, help=f"in each run; by default {_JOBS}")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"by default {_ROUNDS}")
    asked = parser.parse_args()
    figures = {
        "ends that wait": _measured(asked.jobs, asked.rounds, cancelled=True),
        "jobs that run": _measured(asked.jobs, asked.rounds, cancelled=False),
    }
    console.print(_table(figures))
    console.print_json(json.dumps({name: _plain(one) for name, one in figures.items()}))
    sys.exit(0 if all(one.met for one in figures.values()) else 1)


def _measured(jobs: int, rounds: int, *, cancelled: bool) -> Figures:
    alone: list[Run] = []
    beside_sick: list[Run] = []
    for number in range(rounds):
        alone.append(_run(jobs, cancelled=cancelled, sick=False))
        beside_sick.append(_run(jobs, cancelled=cancelled, sick=True))
        kind = "ends that wait" if cancelled else "jobs that run"
        rates = f"alone {alone[-1].rate:.0f}/s, beside a sick one {beside_sick[-1].rate:.0f}/s"
        console.print(f"{kind}, round {number + 1}: {rates}")
    return Figures(alone=alone, beside_sick=beside_sick)


def _run(count: int, *, cancelled: bool, sick: bool) -> Run:
    folder = tempfile.TemporaryDirectory(prefix="chef-bench-")
    with folder as state, receiving("healthy") as healthy, receiving("sick") as other:
        env = _environment(healthy, other if sick else None)
        with started(Path(state), "--embedded-redis", CHEF_ROLE="api", **env) as service:
            jobs = _queued(service, count, cancelled=cancelled)
        with started(Path(state), "--embedded-redis", **env):
            _until_told(healthy, count)
            if sick and not other.counts().requests:
                raise RuntimeError("the sick receiver was never told anything: this measures nothing")
        return Run.of(jobs, healthy.arrivals())


def _environment(healthy: Receiving, sick: Receiving | None) -> Mapping[str, str]:
    env = {
        "NODE_ENV": "bench",
        "CHEF_SANDBOX": "null",
        "CHEF_WEBHOOKS_URL": f"http://127.0.0.1:{healthy.port}/told",
        "CHEF_WEBHOOKS_SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    return env | ({"CONVEX_URL": f"http://127.0.0.1:{sick.port}", "CONVEX_DEPLOY_KEY": "bench"} if sick else {})


def _queued(service: Service, count: int, *, cancelled: bool) -> Collection[str]:
    """Returns: the ids of that many jobs, whose ends alone are told."""
    body = {
        "type": "build",
        "progress": False,
        "data": {"chatId": "bench", "projectFiles": {"package.json": '{"scripts": {"build": "true"}}'}},
    }
    with service.client() as client:

        def queue(_number: int) -> str:
            answer = client.post("/api/jobs", json=body, headers={"Idempotency-Key": secrets.token_hex(8)})
            job_id = str(answer.raise_for_status().json()["jobId"])
            if cancelled:
                client.delete(f"/api/jobs/{job_id}").raise_for_status()
            # The ids of events have no dots.
            return job_id.replace(".", "_")

        with ThreadPoolExecutor(_SUBMITTERS) as pool:
            return frozenset(pool.map(queue, range(count)))


def _until_told(receiver: Receiving, count: int) -> None:
    """Wait until so many came, or none any more."""
    seen, seen_at_s = -1, time.monotonic()
    while seen < count and time.monotonic() - seen_at_s < _QUIET_S:
        time.sleep(_LOOK_S)
        got = receiver.counts().jobs
        if got > seen:
            seen, seen_at_s = got, time.monotonic()


def _table(figures: Mapping[str, Figures]) -> Table:
    heads = ("", "alone", "beside a sick one", "ratio", "target", "delivered", "lost", "met")
    table = Table(*heads, title="deliveries a second to a healthy receiver")
    for name, one in figures.items():
        rates = f"{one.alone_per_s:.0f}/s", f"{one.beside_sick_per_s:.0f}/s", f"{one.ratio:.2f}"
        counts = str(one.delivered), str(one.lost), "yes" if one.met else "no"
        table.add_row(name, *rates, f">= {_BESIDE_SICK}, lost 0", *counts)
    return table


def _plain(one: Figures) -> Mapping[str, object]:
    counts = {"delivered": one.delivered, "lost": one.lost, "ratio": one.ratio, "met": one.met}
    rates = {"alonePerS": one.alone_per_s, "besideSickPerS": one.beside_sick_per_s}
    return rates | counts | attrs.asdict(one)


if __name__ == "__main__":
    main()
