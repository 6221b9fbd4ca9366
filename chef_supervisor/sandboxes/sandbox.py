"""
The one protocol of all sandboxes: start a box, give it files and steps, read events until its verdict.

A box is used once. Inside runs the agent (`sandboxes/agent`), the same everywhere; what a box says is the word of
a hostile project: bounded, checked, and believed about that project only.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import attrs

from chef_supervisor.domain.job import RunId
from chef_supervisor.domain.shelf import Shelf
from chef_supervisor.domain.work import BoxEvent, Work
from chef_supervisor.sandboxes.leftover import Leftover


class Role(enum.StrEnum):
    """What a box is for; it is also its label. Only an install box has network."""

    JOB = "job"
    # Started ahead of need, for a job that is not known yet.
    WARM = "warm"
    # Writes dependencies: what managers of packages do; and what the dependencies' own scripts do.
    INSTALL = "install"
    SCRIPTS = "scripts"
    # Made to see whether boxes can be made.
    PROBE = "probe"


@attrs.frozen(kw_only=True)
class Limits:
    """What one box may use. `workspace_bytes` are in memory and count against `memory_bytes` in Docker."""

    memory_bytes: int
    cpus: float
    pids: int
    workspace_bytes: int
    open_files: int = 4096


@attrs.frozen(kw_only=True)
class BoxOrder:
    """Which box to start. `name` is unique per run of a job (`chef-<job>-<run>`); a second of that name is refused."""

    name: str
    role: Role
    limits: Limits
    labels: Mapping[str, str] = attrs.field(factory=dict)


class Box(Protocol):
    """A started, empty box. Leaving its context kills and removes it, whatever state it is in."""

    def run(self, work: Work) -> AsyncIterator[BoxEvent]:
        """
        Give the box its work, once. Yields events; the last one is BoxEnded.

        Raises:
            SandboxUnavailable: the engine failed, not the project; run the job again elsewhere or later.
        """


WRITERS: Final = frozenset({Role.INSTALL, Role.SCRIPTS})


class Dependencies(Protocol):
    """
    Installed dependencies, in a box at `/deps/<key>`.

    Either a staging place, empty at first, all of whose `/deps` boxes of `WRITERS` write and others read; or an entry
    of the shelf, which boxes of jobs read, and nothing of any other entry.
    """


class Sandbox(Protocol):
    """Starts boxes. One for the process, safe for concurrent use."""

    name: str

    @property
    def shelf(self) -> Shelf:
        """Returns: where installed dependencies are kept."""

    def belong_to(self, realm: str) -> None:
        """Mark what is made from now on as one store's, so that supervisors of another one leave it alone."""

    async def ping(self) -> None:
        """
        Check that whoever makes boxes is there: cheap enough to be done every few seconds.

        Raises:
            SandboxUnavailable: nobody is, or what boxes are made of is missing; the reason says what to do.
        """

    async def probe(self) -> None:
        """
        Check that boxes can be made, by making one.

        Raises:
            SandboxUnavailable: they cannot; the reason says what to do.
        """

    async def leftovers(self) -> Sequence[Leftover]:
        """
        Returns: all that carries marks of ours and is not used by this process; nobody else's is among it. A folder
        is among it only where no living process uses it.

        Raises:
            SandboxUnavailable: they cannot be listed now.
        """

    async def remove(self, leftover: Leftover) -> None:
        """
        Remove it, killed if it runs; nothing happens where it is gone.

        Raises:
            SandboxUnavailable: it is still there, as far as can be told.
        """

    def dependencies(self, name: str, run: RunId | None = None) -> AbstractAsyncContextManager[Dependencies]:
        """Returns: an empty staging place for dependencies of that run; removed when the context is left."""

    def box(self, order: BoxOrder, dependencies: Dependencies | None) -> AbstractAsyncContextManager[Box]:
        """
        Start a box; entering returns when its agent said hello.

        Raises:
            SandboxUnavailable: the engine did not start it.
        """

    async def keep_warm(self, limits: Limits, count: int) -> None:
        """
        Keep so many boxes of those limits started ahead of need, until cancelled: a box of a job is one of them where
        one waits. Returns at once where boxes are started as fast as that.

        Raises:
            SandboxUnavailable: none can be started now.
        """

    async def close(self) -> None:
        """Let go of the engine's connections and threads."""
