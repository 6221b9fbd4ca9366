"""A sandbox that does what a test tells it to: for tests of what stands above the sandboxes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.job import RunId
from chef_supervisor.domain.shelf import Shelf
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepStarted, Work
from chef_supervisor.sandboxes.leftover import Leftover
from chef_supervisor.sandboxes.null import NullShelf
from chef_supervisor.sandboxes.sandbox import Box, BoxOrder, Dependencies, Limits

_STEP_S = 0.1
_PROBE_S = 0.1
Play = Callable[[Work], AsyncIterator[BoxEvent]]


async def passing(work: Work) -> AsyncIterator[BoxEvent]:
    """Every step ends well."""
    for index in range(len(work.steps)):
        yield StepStarted(index)
        await asyncio.sleep(_STEP_S)
        yield StepEnded(index=index, exit_code=0, ended_by=EndedBy.EXIT, ms=1)
    yield BoxEnded(complete=True, ended_by=EndedBy.EXIT)


async def killed(work: Work) -> AsyncIterator[BoxEvent]:
    """The box ends from outside during its first step."""
    yield StepStarted(0)
    yield BoxEnded(complete=False, ended_by=EndedBy.KILLED)


async def endless(work: Work) -> AsyncIterator[BoxEvent]:
    """The first step never ends."""
    yield StepStarted(0)
    await asyncio.Event().wait()


@attrs.define(eq=False)
class FakeBox:
    play: Play

    def run(self, work: Work) -> AsyncIterator[BoxEvent]:
        return self.play(work)


@attrs.define(eq=False)
class FakeSandbox:
    """
    `plays` is what the boxes do, in the order they are started; the last one goes on for all that follow.

    `open` holds the names of boxes and dependencies that are there now; `orders` all that were asked for.
    While `away`, no box starts and a probe fails; while `hangs`, a probe never ends. `probes` counts them all, `pings`
    the light ones, which fail alike. `left` is what lies about, `stubborn` the handles of it that cannot be removed.
    `words` is the reason of every refusal; a box takes `cleanup_s` to end.
    """

    plays: list[Play] = attrs.field(factory=lambda: [passing])
    away: bool = False
    hangs: bool = False
    probes: int = 0
    pings: int = 0
    left: list[Leftover] = attrs.field(factory=list)
    stubborn: set[str] = attrs.field(factory=set)
    realm: str = ""
    words: str = "made to fail"
    cleanup_s: float = 0.0
    name: str = "fake"
    orders: list[BoxOrder] = attrs.field(factory=list)
    open: set[str] = attrs.field(factory=set)
    started: asyncio.Event = attrs.field(factory=asyncio.Event)
    shelf: Shelf = attrs.field(factory=NullShelf)

    async def probe(self) -> None:
        self.probes += 1
        await asyncio.sleep(_PROBE_S)
        await self._answer()

    async def ping(self) -> None:
        self.pings += 1
        await self._answer()

    def belong_to(self, realm: str) -> None:
        self.realm = realm

    async def leftovers(self) -> Sequence[Leftover]:
        await self._answer()
        return tuple(self.left)

    async def remove(self, leftover: Leftover) -> None:
        await self._answer()
        if leftover.handle in self.stubborn:
            raise SandboxUnavailable(self.words)
        self.left = [left for left in self.left if left != leftover]

    @asynccontextmanager
    async def dependencies(self, name: str, run: RunId | None = None) -> AsyncIterator[Dependencies]:
        self.open.add(f"deps {name}")
        try:
            yield object()
        finally:
            self.open.discard(f"deps {name}")

    @asynccontextmanager
    async def box(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[Box]:
        self.orders.append(order)
        if self.away:
            raise SandboxUnavailable(self.words)
        play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
        self.open.add(order.name)
        self.started.set()
        try:
            yield FakeBox(play)
        finally:
            await asyncio.sleep(self.cleanup_s)
            self.open.discard(order.name)

    async def keep_warm(self, limits: Limits, count: int) -> None:
        """Boxes start at once."""

    async def close(self) -> None:
        """Nothing is open."""

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise SandboxUnavailable(self.words)
