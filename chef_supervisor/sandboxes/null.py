"""Boxes that run nothing: for measuring everything around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepStarted, Work
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

    async def probe(self) -> None:
        """Nothing can be wrong."""

    @asynccontextmanager
    async def dependencies(self, name: str) -> AsyncIterator[Dependencies]:
        """Returns: a place that is nowhere."""
        del name
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
