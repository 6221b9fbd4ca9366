"""How often something ends in a second while so many of it are always under way; what begins and what is left counts not."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from scripts.bench.calls import NOTHING, Caller, caller
from scripts.bench.running import Side

_WARM_S: Final = 2.0
_MEASURED_S: Final = 6.0
_LOOK_S: Final = 0.01
_FEWEST: Final = 2


def of_threads(once: Callable[[], object], threads: int) -> float:
    """Returns: of what so many threads do, each again and again; what the last of it takes is not counted."""
    ends: list[float] = []
    closing = time.monotonic() + _WARM_S + _MEASURED_S
    faults: list[Exception] = []

    def work() -> None:
        try:
            while time.monotonic() < closing and not faults:
                once()
                ends.append(time.monotonic())
        except Exception as fault:  # noqa: BLE001  (raised below, by whoever waits)
            faults.append(fault)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if faults:
        raise faults[0]
    counted = sorted(end for end in ends if closing - _MEASURED_S <= end <= closing)
    return _per_s([(end, number) for number, end in enumerate(counted)])


def of_service(side: Side, jobs: int) -> float:
    """
    Returns: of jobs that do nothing, while more of them wait than can be done.

    A slot is free again when the box of its job is gone, so none of what is counted is left to be paid for later.
    """
    with caller(side) as calls:
        for _ in range(jobs):
            calls.post(NOTHING)
        time.sleep(_WARM_S)
        rises = _rises(calls, time.monotonic() + _MEASURED_S)
        counts = _counts(calls)
    if counts["failed"] or not counts["waiting"]:
        raise RuntimeError(f"jobs failed, or there were too few of them: {counts}")
    # What was there at the first look ended at any time before.
    return _per_s(rises[1:])


def _rises(calls: Caller, closing: float) -> Sequence[tuple[float, int]]:
    """Returns: when there were more that had completed, and how many."""
    rises: list[tuple[float, int]] = []
    while (now := time.monotonic()) < closing:
        completed = _counts(calls)["completed"]
        if not rises or completed > rises[-1][1]:
            rises.append((now, completed))
        time.sleep(_LOOK_S)
    return rises


def _counts(calls: Caller) -> Mapping[str, int]:
    counts: Mapping[str, int] = calls.call("GET", "/api/stats")["queues"]["builds"]
    return counts


def best(runs: Mapping[str, Sequence[float]], of_side: str) -> Sequence[float]:
    """Returns: the figures of that side's setting, of all whose names begin so, whose median is the highest."""
    return max((rates for name, rates in runs.items() if name.startswith(of_side)), key=statistics.median)


def _per_s(ended: Sequence[tuple[float, int]]) -> float:
    if len(ended) < _FEWEST:
        raise RuntimeError("too little came to its end to tell a rate")
    (first, before), (last, after) = ended[0], ended[-1]
    return (after - before) / (last - first)
