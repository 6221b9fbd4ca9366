"""Boxes that were started ahead of need. Each is used once; who takes one has it at once, and another is started."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Final, Generic, Protocol, TypeVar

import attrs

from chef_supervisor.sandboxes.leaving import in_a_hurry

# What was started longer ago may have been begun under another engine, or network, or clock.
_MAX_AGE_S: Final = 600.0
# How often boxes that nobody takes are looked at.
_LOOK_S: Final = 5.0
# Starting one takes the machine's time from the boxes that are at work; where some always are, it waits no longer.
_PATIENCE_S: Final = 3.0


class Starts(Protocol):
    """A box as this module sees it."""

    @property
    def alive(self) -> bool:
        """Returns: whether its end is not known."""


BoxT = TypeVar("BoxT", bound=Starts)
KindT = TypeVar("KindT")


@attrs.frozen(eq=False)
class Warm(Generic[BoxT, KindT]):
    """A started box, and what removes it: that is the taker's from now on."""

    box: BoxT
    kind: KindT
    removal: AsyncExitStack
    started_at_s: float


@attrs.define(eq=False)
class WarmBoxes(Generic[BoxT, KindT]):
    """
    At most `count` boxes that wait to be used. The next is started when no box is at work.

    Args:
        kind: what a box that is started now is like; boxes of another kind are of no use any more, and removed.
        start: starts one of that kind, removed by the stack.
    """

    kind: Callable[[], KindT]
    start: Callable[[KindT, AsyncExitStack], Awaitable[BoxT]]
    _waiting: deque[Warm[BoxT, KindT]] = attrs.field(factory=deque, init=False)
    _taken: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _at_work: int = attrs.field(default=0, init=False)
    _idle: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        """Nothing is at work."""
        self._idle.set()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While the context lasts a box is, warm or not."""
        self._at_work += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._idle.set()

    def take(self, kind: KindT) -> Warm[BoxT, KindT] | None:
        """Returns: a box of that kind, the oldest; None where none waits."""
        found = next((warm for warm in self._waiting if warm.kind == kind and warm.box.alive), None)
        if found is not None:
            self._waiting.remove(found)
            self._taken.set()
        return found

    async def keep(self, count: int) -> None:
        """
        Keep so many waiting, until cancelled; then, and where none can be started, all are removed.

        Raises:
            SandboxUnavailable: by `start`.
        """
        try:
            while True:
                self._taken.clear()
                await self._remove_useless()
                while len(self._waiting) < count:
                    await self._until_idle()
                    await self._add()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._taken.wait()
        finally:
            await self._remove(list(self._waiting))

    async def _until_idle(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._idle.wait()

    async def _add(self) -> None:
        kind = self.kind()
        async with AsyncExitStack() as stack:
            box = await self.start(kind, stack)
            self._waiting.append(Warm(box, kind, stack.pop_all(), _now_s()))

    async def _remove_useless(self) -> None:
        kind, oldest_s = self.kind(), _now_s() - _MAX_AGE_S
        useful = {
            warm for warm in self._waiting if warm.kind == kind and warm.box.alive and warm.started_at_s > oldest_s
        }
        await self._remove([warm for warm in self._waiting if warm not in useful])

    async def _remove(self, boxes: list[Warm[BoxT, KindT]]) -> None:
        # Taken out first: what is being removed is not given any more.
        for warm in boxes:
            self._waiting.remove(warm)
        # Together, for a process that stops has little time.
        async with asyncio.TaskGroup() as group:
            removals = [group.create_task(warm.removal.aclose()) for warm in boxes]
            if in_a_hurry():
                # So are they, once they have begun: a removal that is cancelled is finished all the same.
                await asyncio.sleep(0)
                for removal in removals:
                    removal.cancel()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
