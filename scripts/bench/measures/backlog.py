"""What a million waiting jobs cost those that are claimed and finished, and those that are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from scripts.bench import programs
from scripts.bench.ground import Ground, running_redis
from scripts.bench.http_load import warmed_per_s
from scripts.bench.row import Row, at_least, at_most
from scripts.bench.running import service

_MANY: Final = 1_000_000
_FEW: Final = 1_000
_JOB: Final = {"type": "build", "data": {"chatId": "chat-123", "projectFiles": {"src/index.js": "console.log(1)"}}}


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: both rows. The million waits in a server of its own, so that it is added once; the two take turns."""
    with running_redis(ground.server, ground.folder / "redis-million") as full:
        million = attrs.evolve(ground, redis=full)
        turns = [(_turn(million, _MANY), _turn(ground, _FEW)) for _ in range(ground.rounds)]
    (many, few) = zip(*turns, strict=True)
    theirs = f"ourselves with {_FEW:,} waiting"
    return [
        Row(
            what="claim and finish, 1,000,000 waiting",
            unit="jobs/s",
            target=at_least(0.9),
            theirs=theirs,
            our_runs=[turn.processed_per_s for turn in many],
            their_runs=[turn.processed_per_s for turn in few],
        ),
        Row(
            what="one GET /api/jobs/:id, 1,000,000 waiting",
            unit="ms",
            target=at_most(1.2),
            theirs=theirs,
            our_runs=[turn.get_ms for turn in many],
            their_runs=[turn.get_ms for turn in few],
        ),
    ]


@attrs.frozen
class _Turn:
    processed_per_s: float
    get_ms: float


def _turn(ground: Ground, waiting: int) -> _Turn:
    # What was added makes the server write its file anew; that is not what is asked.
    programs.ours_beside(ground, waiting)
    ground.redis.settle()
    turn = _Turn(programs.ours_beside(ground, waiting), _get_ms(ground))
    ground.console.print(f"{waiting:,} waiting: {turn}", highlight=False)
    return turn


def _get_ms(ground: Ground) -> float:
    with service(ground, CHEF_ROLE="api") as side:
        return 1000 / warmed_per_s(f"{side.url}/api/jobs/{side.post(_JOB)}", connections=1)
