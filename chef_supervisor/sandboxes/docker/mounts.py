"""Which volume a box sees as `/deps`."""

from __future__ import annotations

import attrs
from docker.types import Mount

from chef_supervisor.sandboxes.inside import DEPENDENCIES_AT
from chef_supervisor.sandboxes.sandbox import WRITERS, Role


@attrs.frozen
class StagingVolume:
    """A volume of one install; the runner image has `/deps` owned by the box's user, so the volume is theirs."""

    name: str


@attrs.frozen
class StoredVolume:
    """The store; of it a job knows the entry `key`, or none. Whoever does not know a name finds nothing in it."""

    name: str
    key: str = ""


def mounts(role: Role, seen: StagingVolume | StoredVolume | None) -> list[Mount]:
    """Returns: the mounts of a box of that role; only those that install may write."""
    match seen:
        case None:
            return []
        case StagingVolume(name):
            return [Mount(target=DEPENDENCIES_AT, source=name, type="volume", read_only=role not in WRITERS)]
        case StoredVolume(name):
            # Nothing is copied there from the image, whose `/deps` belongs to the box's user.
            return [Mount(target=DEPENDENCIES_AT, source=name, type="volume", read_only=True, no_copy=True)]
