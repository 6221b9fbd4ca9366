"""How many reads a second are answered over HTTP: of one job, of the counts, of health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from scripts.bench.ground import Ground
from scripts.bench.http_load import warmed_per_s
from scripts.bench.row import Row, at_least
from scripts.bench.running import Side, reference, service

_JOB: Final = {"type": "build", "data": {"chatId": "chat-123", "projectFiles": {"src/index.js": "console.log(1)"}}}
_TARGETS: Final = {"GET /api/jobs/:id": 2.5, "GET /api/stats": 3.0, "GET /api/health": 2.5}


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: a row for each of them."""

    def ours() -> Mapping[str, float]:
        with service(ground, CHEF_ROLE="api") as side:
            return _read(side)

    def theirs() -> Mapping[str, float]:
        with reference(ground, 0) as side:
            return _read(side)

    runs = ground.in_turn({"ours": ours, "reference": theirs})
    return [
        Row(
            what=what,
            unit="req/s",
            target=at_least(bound),
            theirs="Express + BullMQ",
            our_runs=[run[what] for run in runs["ours"]],
            their_runs=[run[what] for run in runs["reference"]],
        )
        for what, bound in _TARGETS.items()
    ]


def _read(side: Side) -> Mapping[str, float]:
    job_id = side.post(_JOB)
    return {what: round(warmed_per_s(side.url + what[4:].replace(":id", job_id)), 1) for what in _TARGETS}
