"""
Takes over what the last process of this instance left, removes orphans ever after, and watches the sandbox meanwhile.

Whoever starts with the instance's lock knows that nothing of the instance is alive: its boxes are removed, and its jobs
wait again at once instead of when their leases run out. Others' boxes are known by the run they are for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final, Never

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable, StoreUnavailable, UnknownJob
from chef_supervisor.domain.job import QueueName, RunId, queue_of
from chef_supervisor.kernel import Actor
from chef_supervisor.reaped import tell_reaped
from chef_supervisor.sandboxes.leftover import Leftover
from chef_supervisor.sandboxes.sweeper import Sweeper, of_instance, of_realm, orphans
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.janitor")
# So long may old boxes keep their jobs waiting, where the engine is slow or their removal is.
_OLD_BOXES_S: Final = 5.0
_STORE_RETRY_S: Final = 0.5


@attrs.define(eq=False, kw_only=True)
class Janitor(Actor[Never]):
    """
    `mark`: whose boxes are ours. `taken_over` is set once, when old jobs wait again: nothing may be claimed before, for
    it would be taken back too.

    Neither Redis nor the engine need be there when it starts; what they keep it from is done when they answer.
    """

    store: JobStore
    sandbox: WatchedSandbox
    mark: str
    queues: tuple[QueueName, ...]
    sweep_s: float
    ping_s: float
    taken_over: asyncio.Event
    _sweeper: Sweeper = attrs.field(init=False)
    # Written by _clear() only: the boxes of our last process are gone, or were given up; or that cannot be done now.
    _tried: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _cleared: bool = attrs.field(default=False, init=False)
    # Written by _take_back() only: Redis is asked twice a second.
    _told: bool = attrs.field(default=False, init=False)
    _due: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        """Know what cannot be removed."""
        self._sweeper = Sweeper(self.sandbox)

    async def on_start(self) -> None:
        """Begin."""
        if not self.taken_over.is_set():
            self.ctx.spawn(self._take_over(), name="take-over")
        self.ctx.spawn(self._rounds(), name="rounds")
        self.ctx.spawn(self._watch(), name="watch")

    async def receive(self, message: object) -> None:
        """Nobody tells the janitor anything."""

    async def _take_over(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OLD_BOXES_S):
                await self._tried.wait()
        while not await self._take_back():  # noqa: ASYNC110  (Redis tells nobody that it is back)
            await asyncio.sleep(_STORE_RETRY_S)
        self.taken_over.set()
        # What lost its folder, and so its mark, is known by its runs, which hold nothing from now on.
        self._due.set()

    async def _take_back(self) -> bool:
        try:
            self.sandbox.belong_to(await self.store.identity())
            for queue in self.queues:
                taken = await self.store.take_back(queue)
                tell_reaped(log, queue, taken, requeued="job %s was held by our last process; it waits again")
        except StoreUnavailable as error:
            if not self._told:
                extra = {"event": "store.unavailable"}
                log.warning("claims wait until jobs of our last process are taken back: %s", error, extra=extra)
            self._told = True
            return False
        return True

    async def _rounds(self) -> None:
        while True:
            self._due.clear()
            if not self._cleared:
                await self._clear()
            if self.taken_over.is_set():
                await self._sweep()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.sweep_s):
                    await self._due.wait()

    async def _clear(self) -> None:
        try:
            await self._sweeper.remove(of_instance(await self.sandbox.leftovers(), self.mark))
            self._cleared = True
        except SandboxUnavailable as error:
            log.debug("boxes of our last process are not removed yet: %s", error)
        finally:
            self._tried.set()

    async def _sweep(self) -> None:
        try:
            await self._sweeper.remove(await self._orphans())
        except (SandboxUnavailable, StoreUnavailable) as error:
            log.debug("nothing is swept now: %s", error)

    async def _orphans(self) -> list[Leftover]:
        # The boxes first: one that is there was claimed before, so a run that holds nothing afterwards is over.
        leftovers = await self.sandbox.leftovers()
        realm = await self.store.identity()
        self.sandbox.belong_to(realm)
        ours = dict.fromkeys([*of_instance(leftovers, self.mark), *of_realm(leftovers, realm)])
        known = [leftover for leftover in ours if leftover.run is None or self._knows(leftover.run)]
        runs = {leftover.run for leftover in known if leftover.run is not None}
        owned = await self.store.owned(runs) if runs else frozenset()
        return orphans(known, owned)

    def _knows(self, run: RunId) -> bool:
        """Returns: whether its job is of a queue of ours; supervisors on one Redis may have different ones."""
        try:
            return queue_of(run.job_id) in self.queues
        except UnknownJob:
            return False

    async def _watch(self) -> None:
        while True:
            await self.sandbox.keep_watch(self.ping_s)
            # What ran while the engine was away could not be removed.
            self._due.set()
