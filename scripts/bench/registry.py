"""What can be measured, by the names it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from scripts.bench.ground import Ground
from scripts.bench.measures import (
    backlog,
    bare_store,
    bubblewrap,
    container,
    container_rate,
    first_step,
    idle,
    job_bytes,
    output,
    post_jobs,
    reads,
    to_completed,
    vite,
)
from scripts.bench.row import Row

Measure: TypeAlias = Callable[[Ground], Sequence[Row]]
MEASURES: Final[Mapping[str, Measure]] = {
    "post": post_jobs.measure,
    "reads": reads.measure,
    "completed": to_completed.measure,
    "start": first_step.measure,
    "store": bare_store.measure,
    "backlog": backlog.measure,
    "bytes": job_bytes.measure,
    "idle": idle.measure,
    "docker": container.measure,
    "docker-rate": container_rate.measure,
    "bubblewrap": bubblewrap.measure,
    "vite": vite.measure,
    "output": output.measure,
}
# Those whose requests are made by it.
WITH_WRK: Final = frozenset({"post", "reads", "completed", "backlog", "idle"})
