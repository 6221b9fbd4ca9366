"""What printing costs: a job that prints much itself, and many of them that are followed those who post others."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from scripts.bench.boxes import BareBoxes, docker_service, engine, until_idle
from scripts.bench.calls import caller, command
from scripts.bench.ground import Ground
from scripts.bench.measures import followed
from scripts.bench.row import Row, at_most

_PRINTED_BYTES: Final = 100_000_000
_LINE: Final = "a line of what a tool prints while it works, as long as most of them are, and a bit longer"
_PRINT: Final = ("sh", "-c", f"yes '{_LINE}' | head -c {_PRINTED_BYTES}")
_CHUNK: Final = 1 << 20


def measure(ground: Ground) -> Sequence[Row]:
    """Returns: both rows."""
    sides: dict[str, Callable[[], float]] = {"ours": partial(_our_s, ground), "docker start": _their_s}
    runs = ground.in_turn(sides)
    row = Row(
        what="Docker, a job that prints 100 MB: POST to completed",
        unit="s",
        target=at_most(1.5),
        theirs="create, start --attach to a pipe, remove",
        our_runs=runs["ours"],
        their_runs=runs["docker start"],
    )
    return [row, followed.measure(ground)]


def _our_s(ground: Ground) -> float:
    with engine() as client, docker_service(ground) as side, caller(side) as calls:
        until_idle(side, client)
        return calls.completed_s(command(*_PRINT))


def _their_s() -> float:
    """Returns: what `docker run` does, with a container that has the walls and limits of ours."""
    docker = shutil.which("docker")
    if docker is None:
        raise SystemExit("this needs the program docker; on Debian and Ubuntu: apt-get install docker.io")
    with engine() as client:
        began = time.monotonic()
        with BareBoxes(client).created(_PRINT) as container:
            read = _read_bytes([docker, "start", "--attach", container])
        took_s = time.monotonic() - began
    if read != _PRINTED_BYTES:
        raise RuntimeError(f"docker passed on {read} bytes of {_PRINTED_BYTES}")
    return took_s


def _read_bytes(argv: Sequence[str]) -> int:
    with subprocess.Popen(argv, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout  # noqa: S101  (asked for above)
        return sum(map(len, iter(partial(process.stdout.read, _CHUNK), b"")))
