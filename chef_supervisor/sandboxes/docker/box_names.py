"""What the containers of boxes are called: the engine gives a name once, and a name can be changed; labels cannot."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.job import JobId, RunId
from chef_supervisor.domain.shelf import KEY_CHARS
from chef_supervisor.sandboxes.docker.container import JOB_LABEL, RUN_LABEL
from chef_supervisor.sandboxes.sandbox import BoxOrder

# The job's id comes first, for names of queues may begin with anything.
_TAKEN: Final = re.compile(
    r"chef\.(?P<job>[a-z][a-z0-9-]{0,31}\.\d_[a-z2-7]{26})-(?P<run>\d+)\.[a-z-]+"
    rf"(?:\.(?P<key>[0-9a-f]{{{KEY_CHARS}}}))?"
)


@attrs.frozen
class Taken:
    """What the name of a box that was started ahead of need says, once a job has it. `key`: of what it depends on."""

    run: RunId
    key: str


def taken_name(order: BoxOrder, key: str) -> str:
    """Returns: what a box that waited is renamed to for that order: which run has it, for what, and its dependencies."""
    job, run = order.labels.get(JOB_LABEL), order.labels.get(RUN_LABEL)
    if job is None or run is None:
        return order.name
    purpose = order.name.removesuffix(f"-{job}-{run}")
    return f"chef.{job}-{run}.{purpose}" + (f".{key}" if key else "")


def read_taken(name: str) -> Taken | None:
    """Returns: what the name says; None where it is no such name."""
    match = _TAKEN.fullmatch(name)
    return None if match is None else Taken(RunId(JobId(match["job"]), int(match["run"])), match["key"] or "")
