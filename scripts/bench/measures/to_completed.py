"""How many jobs a second go all the way from POST to completed, one process a side, 50 at once, with nothing to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import redis

from scripts.bench.ground import Ground
from scripts.bench.http_load import POST, WARM_S, load
from scripts.bench.row import Row, at_least
from scripts.bench.running import Side, reference, service

_AT_ONCE: Final = 50
_LOOK_S: Final = 0.1
_WITHIN_S: Final = 300.0


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: the row."""

    def ours() -> float:
        with service(ground, MAX_CONCURRENT_WORKERS=str(_AT_ONCE)) as side:
            return _completed_per_s(side, lambda: _ours_left(side))

    def theirs() -> float:
        with reference(ground, _AT_ONCE) as side, ground.redis.client() as client:
            return _completed_per_s(side, lambda: _theirs_left(client))

    runs = ground.in_turn({"ours": ours, "reference": theirs})
    row = Row(
        what="POST to completed, 50 at once",
        unit="jobs/s",
        target=at_least(2.5),
        theirs="Express + BullMQ",
        our_runs=runs["ours"],
        their_runs=runs["reference"],
    )
    return [row]


def _completed_per_s(side: Side, left: Callable[[], int]) -> float:
    """Returns: all that were posted, by the time from the first POST to the last end."""
    url = f"{side.url}/api/jobs"
    load(url, seconds=WARM_S, script=POST)
    _until_none(left)
    began = time.monotonic()
    posted = load(url, script=POST).requests
    _until_none(left)
    if failed := side.stats()["failed"]:
        raise RuntimeError(f"{failed} jobs failed")
    return posted / (time.monotonic() - began)


def _until_none(left: Callable[[], int]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while left():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{left()} jobs never ended")
        time.sleep(_LOOK_S)


def _ours_left(side: Side) -> int:
    counts = side.stats()
    return counts["waiting"] + counts["active"]


def _theirs_left(client: redis.Redis) -> int:
    # Its own counts leave out jobs with a priority.
    waiting: int = client.zcard("bull:builds:prioritized") + client.llen("bull:builds:wait")
    active: int = client.llen("bull:builds:active")
    return waiting + active
