"""How much of Redis's memory a waiting job takes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from scripts.bench import programs
from scripts.bench.ground import Ground
from scripts.bench.row import Row, at_most

_JOBS: Final = 200_000


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: the row."""
    runs = ground.in_turn(
        {"ours": partial(programs.ours_fill, ground, _JOBS), "BullMQ": partial(programs.bullmq_fill, ground, _JOBS)}
    )
    row = Row(
        what="Redis memory of a waiting job, 230 B payload",
        unit="B",
        target=at_most(0.8),
        theirs="BullMQ on Node",
        our_runs=runs["ours"],
        their_runs=runs["BullMQ"],
    )
    return [row]
