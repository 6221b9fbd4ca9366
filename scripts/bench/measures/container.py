"""How long a job takes that does nothing in a container of its own, beside the container alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from scripts.bench import times
from scripts.bench.boxes import BareBoxes, docker_service, engine, until_idle
from scripts.bench.calls import NOTHING, caller
from scripts.bench.ground import Ground
from scripts.bench.row import Row, at_most
from scripts.bench.times import Times

_JOBS: Final = 20


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: the row; each figure is the median of a round."""
    with engine() as client:

        def ours() -> Times:
            with docker_service(ground) as side, caller(side) as calls:
                rest = partial(until_idle, side, client)
                rest()
                # Opens the connection.
                calls.completed_s(NOTHING)
                return times.of_each(partial(calls.completed_s, NOTHING), _JOBS, before=rest)

        def bare() -> Times:
            return times.of_each(BareBoxes(client).nothing, _JOBS)

        runs = ground.in_turn({"ours": ours, "bare": bare})
    row = Row(
        what="Docker, a job that does nothing: POST to completed, p50",
        unit="ms",
        target=at_most(0.15),
        theirs="create, start, wait, remove",
        our_runs=[run.p50_ms for run in runs["ours"]],
        their_runs=[run.p50_ms for run in runs["bare"]],
        our_samples=times.together(runs["ours"]),
        their_samples=times.together(runs["bare"]),
    )
    return [row]
