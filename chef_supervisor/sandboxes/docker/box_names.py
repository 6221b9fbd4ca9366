"""What the containers of boxes are called: the engine gives a name once, and a name can be changed; labels cannot."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.job import JobId, RunId
from chef_supervisor.domain.shelf import KEY_CHARS

_TAKEN: Final = re.compile(
    r"chef-(?:unpack-)?(?P<job>[a-z][a-z0-9-]{0,31}\.\d_[a-z2-7]{26})-(?P<run>\d+)"
    rf"(?:\.(?P<key>[0-9a-f]{{{KEY_CHARS}}}))?"
)


@attrs.frozen
class Taken:
    """What the name of a box that was started ahead of need says, once a job has it. `key`: of what it depends on."""

    run: RunId
    key: str


def taken_name(name: str, key: str) -> str:
    """Returns: what such a box is renamed to; `name` is that of the order."""
    return f"{name}.{key}" if key else name


def read_taken(name: str) -> Taken | None:
    """Returns: what the name says; None where it is no such name."""
    match = _TAKEN.fullmatch(name)
    return None if match is None else Taken(RunId(JobId(match["job"]), int(match["run"])), match["key"] or "")
