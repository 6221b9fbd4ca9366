"""How long an idle service takes from a POST to the first step of its job, with nothing to do in it."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from scripts.bench.first_steps import NOTES
from scripts.bench.ground import Ground
from scripts.bench.row import Row, at_most
from scripts.bench.running import Side, service

_WARM_JOBS: Final = 50
_JOBS: Final = 400
# By then the job is long over, and the service as idle as before.
_APART_S: Final = 0.03
_WITHIN_S: Final = 30.0
_FILES: Final = {"package.json": '{"name":"x","scripts":{"build":"true"}}', "src/index.js": "console.log(1)"}
_JOB: Final = json.dumps({"type": "build", "priority": 5, "data": {"chatId": "chat-123", "projectFiles": _FILES}})
_TARGETS: Final = {"p50": 3.0, "p99": 15.0}


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: two rows; the targets are absolute."""

    def ours() -> Mapping[str, float]:
        notes = ground.folder / "first-steps"
        notes.unlink(missing_ok=True)
        with service(ground, module="scripts.bench.first_steps", **{NOTES: str(notes)}) as side:
            return _percentiles(_times_ms(side, notes)[_WARM_JOBS:])

    runs = ground.in_turn({"ours": ours})["ours"]
    return [
        Row(
            what=f"idle: POST to first step, {which}",
            unit="ms",
            target=at_most(bound, ratio=False),
            theirs="",
            our_runs=[run[which] for run in runs],
        )
        for which, bound in _TARGETS.items()
    ]


def _times_ms(side: Side, notes: Path) -> Sequence[float]:
    """Returns: one for each job, from before its request is sent."""
    posted_ns = []
    connection = http.client.HTTPConnection(urlsplit(side.url).netloc, timeout=_WITHIN_S)
    connection.connect()
    for _ in range(_WARM_JOBS + _JOBS):
        posted_ns.append(time.monotonic_ns())
        connection.request("POST", "/api/jobs", _JOB, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"a job was refused: {answer.read()!r}")
        answer.read()
        time.sleep(_APART_S)
    connection.close()
    begun_ns = _noted(notes, len(posted_ns))
    return [(begun - posted) / 1e6 for posted, begun in zip(posted_ns, begun_ns, strict=True)]


def _noted(notes: Path, count: int) -> Sequence[int]:
    # In the order of the posts: one queue, one priority, and each began long before the next was posted.
    deadline = time.monotonic() + _WITHIN_S
    while len(lines := notes.read_text(encoding="ascii").split()) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{count - len(lines)} jobs never began")
        time.sleep(_APART_S)
    return [int(line) for line in lines]


def _percentiles(times_ms: Sequence[float]) -> Mapping[str, float]:
    hundredths = statistics.quantiles(times_ms, n=100)
    return {"p50": hundredths[49], "p99": hundredths[98]}
