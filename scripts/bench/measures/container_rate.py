"""How many jobs a second are done, each in a container of its own, beside the containers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from scripts.bench import rates
from scripts.bench.boxes import BareBoxes, docker_service, engine
from scripts.bench.ground import Ground
from scripts.bench.row import Row, at_least

_OURS: Final = (2, 4, 8)
_BARE: Final = (1, 2, 4, 8)
_JOBS: Final = 500


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: the row; of each side the figures at the concurrency that suits it best."""
    sides: dict[str, Callable[[], float]] = {f"ours {count}": partial(_ours, ground, count) for count in _OURS}
    sides |= {f"bare {count}": partial(_bare, count) for count in _BARE}
    runs = ground.in_turn(sides)
    row = Row(
        what="Docker, jobs that do nothing",
        unit="jobs/s",
        target=at_least(0.95),
        theirs="create, start, wait, remove",
        our_runs=rates.best(runs, "ours"),
        their_runs=rates.best(runs, "bare"),
    )
    return [row]


def _ours(ground: Ground, at_once: int) -> float:
    with docker_service(ground, MAX_CONCURRENT_WORKERS=str(at_once)) as side:
        return rates.of_service(side, _JOBS)


def _bare(threads: int) -> float:
    with engine() as client:
        return rates.of_threads(BareBoxes(client).nothing, threads)
