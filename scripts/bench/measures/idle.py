"""What the service takes of the machine while nothing happens, and while many jobs wait."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from scripts.bench.ground import Ground
from scripts.bench.http_load import POST_LATER, load
from scripts.bench.row import Row, at_most
from scripts.bench.running import Side, reference, service

_MB: Final = 1_000_000
_SETTLE_S: Final = 5.0
_WATCHED_S: Final = 20.0
_WAITING: Final = 100_000
_RESIDENT: Final = "idle: resident memory"
_CPU: Final = "idle: CPU"
_BACKLOG: Final = "resident memory more with 100,000 waiting"
_TARGETS: Final = {_RESIDENT: (80.0, "MB"), _CPU: (0.5, "%"), _BACKLOG: (5.0, "MB")}


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: three rows, beside the reference's, though the targets are absolute."""

    def ours() -> Mapping[str, float]:
        with service(ground) as side:
            figures = _watched(side)
            _let_many_wait(side)
            time.sleep(_SETTLE_S)
            return {**figures, _BACKLOG: side.resident_bytes() / _MB - figures[_RESIDENT]}

    def theirs() -> Mapping[str, float]:
        with reference(ground, 5) as side:
            return _watched(side)

    runs = ground.in_turn({"ours": ours, "reference": theirs})
    return [
        Row(
            what=what,
            unit=unit,
            target=at_most(bound, ratio=False),
            theirs="Express + BullMQ" if what in runs["reference"][0] else "",
            our_runs=[run[what] for run in runs["ours"]],
            their_runs=[run[what] for run in runs["reference"] if what in run],
        )
        for what, (bound, unit) in _TARGETS.items()
    ]


def _watched(side: Side) -> Mapping[str, float]:
    time.sleep(_SETTLE_S)
    began, cpu_s = time.monotonic(), side.cpu_s()
    time.sleep(_WATCHED_S)
    cpu = 100 * (side.cpu_s() - cpu_s) / (time.monotonic() - began)
    return {_RESIDENT: side.resident_bytes() / _MB, _CPU: cpu}


def _let_many_wait(side: Side) -> None:
    """Post jobs that are to be run tomorrow: any other would be gone at once, for they do nothing."""
    while side.stats()["delayed"] < _WAITING:
        load(f"{side.url}/api/jobs", script=POST_LATER)
