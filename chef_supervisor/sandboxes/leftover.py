"""What an earlier process, or a removal that failed, left behind in an engine or on the disk."""

from __future__ import annotations

import enum

import attrs

from chef_supervisor.domain.job import RunId


class LeftoverKind(enum.StrEnum):
    """What it is; where several are to go, in this order: what is used by a container cannot go before it."""

    CONTAINER = "container"
    NETWORK = "network"
    VOLUME = "volume"
    FOLDER = "folder"


@attrs.frozen(kw_only=True)
class Leftover:
    """
    Something that carries our marks and that this process does not use. It may be another supervisor's, and in use.

    `handle`: what its engine knows it by. `role`: as in its label. `instance`: whose it is. `realm`: the store whose
    jobs that supervisor runs; empty where it did not know it yet. `run`: what it is for; None = no single job.
    """

    handle: str
    kind: LeftoverKind
    role: str = ""
    instance: str = ""
    realm: str = ""
    run: RunId | None = None
    # Nothing runs in it any more, or ever did.
    over: bool = False
