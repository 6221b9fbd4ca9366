"""How many jobs a second the stores add and process by themselves, without HTTP, beside other queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from scripts.bench import programs
from scripts.bench.ground import Ground
from scripts.bench.programs import Passed
from scripts.bench.row import Row, Target, at_least

PEERS: Final = ("saq", "arq", "streaq", "bullmq")
_FEW: Final = 5
_MANY: Final = 50
# Slow ones are given fewer jobs, so that a round ends.
_PEERS_JOBS: Final = 5_000


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: rows for adding and processing, beside BullMQ and beside each Python queue."""
    sides: dict[str, Callable[[], Passed]] = {}
    for concurrency in (_MANY, _FEW):
        sides[f"ours {concurrency}"] = partial(programs.ours_pass, ground, concurrency)
        sides[f"BullMQ {concurrency}"] = partial(programs.bullmq_pass, ground, concurrency)
    for peer in PEERS:
        sides[peer] = partial(programs.peer_pass, ground, peer, _PEERS_JOBS)
    runs = ground.in_turn(sides)
    ours, bullmq = runs[f"ours {_MANY}"], runs[f"BullMQ {_MANY}"]
    return [
        _added("add with priorities, 50 callers", "BullMQ on Node", ours, bullmq, at_least(2)),
        _processed("process, 50 at once", "BullMQ on Node", ours, bullmq, at_least(2)),
        _processed("process, 5 at once", "BullMQ on Node", runs[f"ours {_FEW}"], runs[f"BullMQ {_FEW}"], at_least(1)),
        *_beside_peers(ours, runs),
    ]


def _beside_peers(ours: Sequence[Passed], runs: Mapping[str, Sequence[Passed]]) -> Sequence[Row]:
    added = [_added("add, 50 callers", f"{peer} (Python)", ours, runs[peer], at_least(4)) for peer in PEERS]
    processed = [_processed("process, 50 at once", f"{peer} (Python)", ours, runs[peer], at_least(8)) for peer in PEERS]
    return [*added, *processed]


def _added(what: str, theirs: str, our_runs: Sequence[Passed], their_runs: Sequence[Passed], target: Target) -> Row:
    ours, other = ([run.added_per_s for run in runs] for runs in (our_runs, their_runs))
    return Row(what=what, unit="jobs/s", target=target, theirs=theirs, our_runs=ours, their_runs=other)


def _processed(what: str, theirs: str, our_runs: Sequence[Passed], their_runs: Sequence[Passed], target: Target) -> Row:
    ours, other = ([run.processed_per_s for run in runs] for runs in (our_runs, their_runs))
    return Row(what=what, unit="jobs/s", target=target, theirs=theirs, our_runs=ours, their_runs=other)
