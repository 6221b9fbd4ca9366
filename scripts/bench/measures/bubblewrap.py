"""How long jobs take that do nothing, and how many are done a second, each in a box of bubblewrap, beside the boxes alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from scripts.bench import rates, times
from scripts.bench.bare_bwrap import bare_bubblewrap
from scripts.bench.calls import NOTHING, caller
from scripts.bench.ground import Ground
from scripts.bench.row import Row, at_least, at_most
from scripts.bench.running import service
from scripts.bench.times import Times

_ONE_BY_ONE: Final = 50
_AT_ONCE: Final = (2, 4, 8)
_JOBS: Final = 1500
_SETTLE_S: Final = 0.05


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: both rows; of each side the rate is the one at the concurrency that suits it best."""
    boxes = bare_bubblewrap(ground.folder)
    sides: dict[str, Callable[[], Any]] = {
        "ours alone": partial(_our_times, ground),
        "bare alone": partial(times.of_each, boxes.once, _ONE_BY_ONE),
    }
    sides |= {f"ours {count}": partial(_our_rate, ground, count) for count in _AT_ONCE}
    sides |= {f"bare {count}": partial(rates.of_threads, boxes.once, count) for count in (1, *_AT_ONCE)}
    runs = dict(ground.in_turn(sides))
    return [_times(runs.pop("ours alone"), runs.pop("bare alone")), _rates(runs)]


def _times(ours: Sequence[Times], bare: Sequence[Times]) -> Row:
    return Row(
        what="bubblewrap, a job that does nothing: POST to completed, p50",
        unit="ms",
        target=at_most(2),
        theirs="bwrap that starts the same agent",
        our_runs=[run.p50_ms for run in ours],
        their_runs=[run.p50_ms for run in bare],
        our_samples=times.together(ours),
        their_samples=times.together(bare),
    )


def _rates(runs: dict[str, list[float]]) -> Row:
    return Row(
        what="bubblewrap, jobs that do nothing",
        unit="jobs/s",
        target=at_least(0.9),
        theirs="bwrap that starts the same agent",
        our_runs=rates.best(runs, "ours"),
        their_runs=rates.best(runs, "bare"),
    )


def _our_times(ground: Ground) -> Times:
    with service(ground, CHEF_SANDBOX="bubblewrap") as side, caller(side) as calls:
        # Opens the connection.
        calls.completed_s(NOTHING)
        # Before each the last box is still being removed.
        return times.of_each(partial(calls.completed_s, NOTHING), _ONE_BY_ONE, before=partial(time.sleep, _SETTLE_S))


def _our_rate(ground: Ground, at_once: int) -> float:
    with service(ground, CHEF_SANDBOX="bubblewrap", MAX_CONCURRENT_WORKERS=str(at_once)) as side:
        return rates.of_service(side, _JOBS)
