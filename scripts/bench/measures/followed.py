"""What many jobs that print, and are followed, cost those who post others meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import attrs

from scripts.bench import times
from scripts.bench.boxes import docker_service, engine, until_idle
from scripts.bench.calls import NOTHING, Caller, caller, command
from scripts.bench.ground import Ground
from scripts.bench.installed import ROOT
from scripts.bench.row import Row, at_most
from scripts.bench.running import Side
from scripts.bench.times import Times

_JOBS: Final = 50
# 1 MB a second, in tenths.
_PRINT_ON: Final = """
import sys, time
tenth = ("x" * 99 + "\\n") * 1000
due = time.monotonic()
while True:
    sys.stdout.write(tenth)
    sys.stdout.flush()
    due += 0.1
    time.sleep(max(0, due - time.monotonic()))
"""
_POSTS: Final = 400
_PAUSE_S: Final = 0.01
# Never run here: what is measured is how soon it is accepted.
_LATER: Final = {**NOTHING, "delayMs": 86_400_000}


@attrs.frozen
class _Both:
    quiet: Times
    loud: Times

    def __str__(self) -> str:
        return f"quiet {self.quiet}; loud {self.loud}"


def measure(ground: Ground) -> Row:
    """Returns: the row."""
    runs = ground.in_turn({"POST": partial(_quiet_and_loud, ground)})["POST"]
    return Row(
        what=f"POST while {_JOBS} followed jobs print 1 MB/s each, p95",
        unit="ms",
        target=at_most(3),
        theirs="ourselves while nothing runs",
        our_runs=[both.loud.p95_ms for both in runs],
        their_runs=[both.quiet.p95_ms for both in runs],
        our_samples=times.together(both.loud for both in runs),
        their_samples=times.together(both.quiet for both in runs),
    )


def _quiet_and_loud(ground: Ground) -> _Both:
    with engine() as client, docker_service(ground, MAX_CONCURRENT_WORKERS=str(_JOBS)) as side, caller(side) as calls:
        until_idle(side, client)
        _posts(calls)
        quiet = _posts(calls)
        with _printing(calls) as jobs, _followed(side, jobs):
            return _Both(quiet, _posts(calls))


def _posts(calls: Caller) -> Times:
    return times.of_each(partial(calls.post, _LATER), _POSTS, before=partial(time.sleep, _PAUSE_S))


@contextmanager
def _printing(calls: Caller) -> Iterator[Sequence[str]]:
    """Yields: their ids; cancelled in the end, or the service would wait for them."""
    jobs = [calls.post(command("python3", "-I", "-S", "-c", _PRINT_ON)) for _ in range(_JOBS)]
    try:
        yield jobs
    finally:
        for job in jobs:
            calls.call("DELETE", f"/api/jobs/{job}")


@contextmanager
def _followed(side: Side, jobs: Sequence[str]) -> Iterator[None]:
    """Enter when every job was heard to print."""
    at = urlsplit(side.url)
    argv = [sys.executable, "-m", "scripts.bench.log_readers", str(at.hostname), str(at.port), *jobs]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout  # noqa: S101  (asked for above)
            if not process.stdout.readline():
                raise RuntimeError("not all logs could be followed")
            yield
        finally:
            process.kill()
