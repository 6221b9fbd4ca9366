"""
Two supervisors, one Redis, a steady load, and one fault after the other; at the end every job must have ended once.

    ./scripts/just chaos [--minutes N] [--seed N] [--sandbox auto|docker|bubblewrap|null] [--engine own]

Redis runs with appendfsync always, so that nothing that was acknowledged may be lost. `--engine own` starts a Docker
Engine of its own and breaks that as well; one that it did not start it only asks to kill the boxes of these jobs.
Exit code 1: a job was lost, ended twice, or an invariant does not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from scripts.chaos.callers import Callers
from scripts.chaos.deployment import Deployment, deployed
from scripts.chaos.faults import Storm
from scripts.chaos.history import History
from scripts.chaos.kinds import kinds
from scripts.chaos.report import Report, make_report
from tests.kit.invariants import containers_of, violations

# For a job that was put back several times, with its waits, on two busy cores.
_CALM_WITHIN_S: Final = 180.0
# What is promised for an orphan, and some more.
_SWEPT_WITHIN_S: Final = 90.0
_LOOK_S: Final = 0.5
console: Final = Console()


def main() -> None:
    """Run it; ends with the exit code."""
    parser = argparse.ArgumentParser(prog="just chaos", description="Break everything, again and again, under load.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long faults are made (1)")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="of the choices; when they meet which job is chance"
    )
    parser.add_argument("--sandbox", choices=("auto", "docker", "bubblewrap", "null"), default="auto")
    parser.add_argument("--engine", choices=("found", "own"), default="found", help="own: start one, and break it too")
    parser.add_argument("--callers", type=int, default=8, help="jobs at once (8)")
    chosen = parser.parse_args()
    console.print(f"seed {chosen.seed}, {chosen.minutes:g} min")
    with (
        tempfile.TemporaryDirectory(prefix="chef-chaos-") as folder,
        deployed(Path(folder), chosen.sandbox, with_engine=chosen.engine == "own") as deployment,
    ):
        report = _run(deployment, chosen.seed, chosen.minutes * 60, chosen.callers)
    console.print(report.table())
    for sentence in report.violations:
        console.print(f"[red]{sentence}[/red]", highlight=False)
    if not report.kept:
        _keep_logs(deployment)
        sys.exit(1)


def _run(deployment: Deployment, seed: int, for_s: float, callers_count: int) -> Report:
    # Two: which boxes there are to choose from is nobody's choice. Neither is to be secret.
    chance, box_chance = random.Random(seed), random.Random(seed + 1)  # noqa: S311
    began = time.monotonic()
    found: list[str] = []

    def tell(sentence: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {sentence}", highlight=False)

    def look() -> None:
        found.extend(f"supervisor {name} ended by itself" for name in deployment.restart_the_fallen())

    history = History(deployment.redis)
    callers = Callers([supervisor.url for supervisor in deployment.supervisors], seed, callers_count)
    storm = Storm(kinds(deployment, callers.accepted, box_chance), chance, tell)
    tell(f"boxes: {deployment.sandbox}; {callers_count} callers")
    history.start()
    callers.start()
    storm.rage(for_s, look)
    tell("calm; the callers wait for their last jobs")
    if not callers.stop(_CALM_WITHIN_S):
        found.append(f"a caller had no end of its job {_CALM_WITHIN_S:g} s after the last fault")
    look()
    found += [f"caller {sentence}" for sentence in callers.refused]
    history.stop()
    found += _after_the_sweep(deployment, callers, history)
    return make_report(callers, history, storm, found)


def _after_the_sweep(deployment: Deployment, callers: Callers, history: History) -> list[str]:
    """Containers of lost runs may be there until the next sweep, and no longer."""
    until = time.monotonic() + _SWEPT_WITHIN_S
    host = deployment.docker_host
    while host is not None and containers_of(host, callers.accepted) and time.monotonic() < until:
        time.sleep(_LOOK_S)
    with deployment.redis.client() as client:
        return violations(client, callers.accepted, over=True, containers=host, changes=history.changes)


def _keep_logs(deployment: Deployment) -> None:
    folder = Path(tempfile.mkdtemp(prefix="chef-chaos-logs-"))
    for supervisor in deployment.supervisors:
        lines = [json.dumps(record) for record in supervisor.records]
        (folder / f"{supervisor.name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    console.print(f"what the supervisors logged is in {folder}")


if __name__ == "__main__":
    main()
