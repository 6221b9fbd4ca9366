"""Boxes that run nothing: for measuring everything around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from chef_supervisor.domain.job import RunId
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepStarted, Work
from chef_supervisor.sandboxes.leftover import Leftover
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies


class NullBox:
    """Every step passes at once."""

    async def run(self, work: Work) -> AsyncIterator[BoxEvent]:
        """Yield a start and an end for each step, then the verdict."""
        for index in range(len(work.steps)):
            yield StepStarted(index)
            yield StepEnded(index=index, exit_code=0, ended_by=EndedBy.EXIT, ms=0)
        yield BoxEnded(complete=True, ended_by=EndedBy.EXIT)


class NullSandbox:
    """Always available, isolates nothing, does nothing."""

    name = "null"

    def belong_to(self, realm: str) -> None:
        """Nothing is marked."""

    async def ping(self) -> None:
        """Nothing can be wrong."""

    async def probe(self) -> None:
        """Nothing can be wrong."""

    async def leftovers(self) -> Sequence[Leftover]:
        """Returns: nothing, for nothing is left."""
        return ()

    async def remove(self, leftover: Leftover) -> None:
        """There is none."""

    @asynccontextmanager
    async def dependencies(self, name: str, run: RunId | None = None) -> AsyncIterator[Dependencies]:
        """Returns: a place that is nowhere."""
        del name, run
        yield NullDependencies()

    @asynccontextmanager
    async def box(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[NullBox]:
        """Returns: a box that is none."""
        del order, dependencies
        yield NullBox()

    async def close(self) -> None:
        """Nothing is held."""


class NullDependencies:
    """Nowhere."""
