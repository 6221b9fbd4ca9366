"""How many jobs a second are accepted over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.bench.ground import Ground
from scripts.bench.http_load import POST, warmed_per_s
from scripts.bench.row import Row, at_least
from scripts.bench.running import reference, service


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: the row; nobody takes up the jobs."""

    def ours() -> float:
        with service(ground, CHEF_ROLE="api") as side:
            return warmed_per_s(f"{side.url}/api/jobs", script=POST)

    def theirs() -> float:
        with reference(ground, 0) as side:
            return warmed_per_s(f"{side.url}/api/jobs", script=POST)

    runs = ground.in_turn({"ours": ours, "reference": theirs})
    row = Row(
        what="POST /api/jobs, 32 connections",
        unit="req/s",
        target=at_least(3),
        theirs="Express + BullMQ",
        our_runs=runs["ours"],
        their_runs=runs["reference"],
    )
    return [row]
