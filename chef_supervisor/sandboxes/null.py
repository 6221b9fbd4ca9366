"""Boxes that run nothing: for measuring everything around them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from chef_supervisor.domain.job import RunId
from chef_supervisor.domain.shelf import Bounds, Inventory, Stored
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepStarted, Work
from chef_supervisor.sandboxes.leftover import Leftover
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies, Limits


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

    def __init__(self) -> None:
        self.shelf = NullShelf()

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

    async def keep_warm(self, limits: Limits, count: int) -> None:
        """Return at once: nothing is ever started."""
        del limits, count

    async def close(self) -> None:
        """Nothing is held."""


class NullDependencies:
    """Nowhere."""


class NullShelf:
    """Remembers that something was kept, and keeps nothing."""

    def __init__(self) -> None:
        self._stored: dict[str, Stored] = {}

    async def identity(self) -> str:
        """Returns: that boxes are made of nothing."""
        return "null"

    async def look(self, used: Mapping[str, float]) -> Inventory:
        """Returns: what was put and not dropped."""
        del used
        return Inventory(secret=b"null", now_s=time.time(), stored=dict(self._stored))

    async def put(
        self, staging: object, key: str, *, bounds: Bounds, lifetime_s: float | None, notes: tuple[str, ...]
    ) -> Inventory:
        """Take note of it."""
        del staging, bounds
        now_s = time.time()
        expires_s = None if lifetime_s is None else now_s + lifetime_s
        self._stored[key] = Stored(bytes=0, made_s=now_s, used_s=now_s, expires_s=expires_s, notes=notes)
        return await self.look({})

    async def drop(self, keys: tuple[str, ...], used: Mapping[str, float]) -> Inventory:
        """Forget it."""
        for key in keys:
            self._stored.pop(key, None)
        return await self.look(used)

    def entry(self, key: str) -> NullDependencies:
        """Returns: nothing."""
        del key
        return NullDependencies()
