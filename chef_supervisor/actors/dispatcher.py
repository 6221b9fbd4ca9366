"""Claims waiting jobs for free slots and hands them to the pools. Owns the slots; never touches a job itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, assert_never

import attrs

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim, QueueName
from chef_supervisor.domain.slots import Slots
from chef_supervisor.kernel import Actor, ActorGone, Down, MailboxFull, Ref
from chef_supervisor.protocol import Beat, DispatcherMessage, Holdings, PoolMessage, SlotFreed, StartJobs, WorkArrived
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.vitals import Vitals

log = logging.getLogger("chef.dispatcher")
_HOLDINGS_TIMEOUT_S: Final = 5.0
_LAST_HOLDINGS_TIMEOUT_S: Final = 2.0
# Not `poll_s`: health takes a dispatcher that is silent for ten times as long for hung.
_BEAT_S: Final = 1.0


@attrs.define(eq=False, kw_only=True)
class Dispatcher(Actor[DispatcherMessage]):
    """Deals free slots in turn to the queues that have work, and claims only what it has slots for."""

    store: JobStore
    pools: Mapping[QueueName, Ref[PoolMessage]]
    slots: Slots
    sandbox: WatchedSandbox
    vitals: Vitals
    poll_s: float
    # Set once the jobs of our last process wait again; what is claimed before would be taken back with them.
    taken_over: asyncio.Event
    # The queues that may have work.
    _hungry: set[QueueName] = attrs.field(factory=set, init=False)
    # Pools that restarted: what they hold is not known until they answer.
    _unsure: set[QueueName] = attrs.field(factory=set, init=False)
    # When each queue was last looked at.
    _looked_at: dict[QueueName, float] = attrs.field(factory=dict, init=False)
    # The number of the claim that last gave each queue something; the lowest is dealt to first.
    _served: dict[QueueName, int] = attrs.field(factory=dict, init=False)
    _claims: Iterator[int] = attrs.field(factory=lambda: itertools.count(1), init=False)
    _store_away: bool = attrs.field(default=False, init=False)
    _has_room: dict[QueueName, asyncio.Event] = attrs.field(factory=dict, init=False)

    async def on_start(self) -> None:
        """Learn what the pools hold, for this may be a restart, and begin to listen for work."""
        self._unsure.update(self.pools)
        for queue, pool in self.pools.items():
            self._looked_at[queue], self._served[queue] = 0.0, 0
            self._has_room[queue] = asyncio.Event()
            pool.watch(self.ctx.ref)
            self.ctx.spawn(self._listen(queue), name=f"listen-{queue}")
        self.ctx.spawn(self._beat(), name="beat")
        await self._dispatch()

    async def receive(self, message: DispatcherMessage | Down) -> None:
        """Take a hint, a freed slot, or the end of a pool; then hand out what can be handed out."""
        match message:
            case WorkArrived(queue):
                self._hungry.add(queue)
            case Beat():
                self.vitals.dispatched_at = asyncio.get_running_loop().time()
            case SlotFreed(queue, run):
                self.slots.give_back(queue, run)
                self._look_where_nobody_listened()
            case Down():
                self._unsure.update(queue for queue, pool in self.pools.items() if pool is message.ref)
            case _:
                assert_never(message)
        # Those that were freed while we claimed are filled together, by one claim.
        if not any(isinstance(unread, SlotFreed) for unread in self.ctx.ref.unread):
            await self._dispatch()

    async def on_stop(self) -> None:
        """Wait until the pools took what they were told: a job still in their mailboxes would be lost to its lease."""
        for pool in self.pools.values():
            with contextlib.suppress(ActorGone, TimeoutError):
                await pool.ask(Holdings(), timeout_s=_LAST_HOLDINGS_TIMEOUT_S)

    async def _listen(self, queue: QueueName) -> None:
        """Turn the queue's wake key into hints; a silent poll interval is a hint too, for a wake-up may be lost."""
        while True:
            # Without room a wake-up taken here would be missing where there is room: in another process.
            await self._has_room[queue].wait()
            await self.sandbox.recovered()
            await self.taken_over.wait()
            try:
                await self.store.wait_for_work(queue, self.poll_s)
            except StoreUnavailable:
                await asyncio.sleep(self.poll_s)
            # One unread hint says all, and more would take the room that freed slots are promised.
            if WorkArrived(queue) not in self.ctx.ref.unread:
                await self.ctx.ref.tell(WorkArrived(queue))

    async def _beat(self) -> None:
        """Show that messages are handled: what no health check sees from outside."""
        while True:
            # As with hints.
            if Beat() not in self.ctx.ref.unread:
                with contextlib.suppress(MailboxFull):
                    self.ctx.ref.tell_nowait(Beat())
            await asyncio.sleep(_BEAT_S)

    def _look_where_nobody_listened(self) -> None:
        # While all slots were taken nobody listened: without this a queue with a backlog would keep every slot.
        now = asyncio.get_running_loop().time()
        self._hungry.update(queue for queue, at in self._looked_at.items() if now - at >= self.poll_s)

    async def _dispatch(self) -> None:
        for queue in list(self._unsure):
            await self._ask_holdings(queue)
        while dealt := self._deal():
            for queue, count in dealt.items():
                await self._claim(queue, count)
        for queue, event in self._has_room.items():
            # Of an unsure queue too: its polls are what makes us ask again.
            if queue in self._unsure or self.slots.free(queue):
                event.set()
            else:
                event.clear()

    def _deal(self) -> Mapping[QueueName, int]:
        # A claim that cannot be run is a run of somebody's job spoilt.
        if self.sandbox.trouble is not None or not self.taken_over.is_set() or self.ctx.stopping.done():
            return {}
        return self.slots.deal(sorted(self._hungry - self._unsure, key=self._served.__getitem__))

    async def _claim(self, queue: QueueName, count: int) -> None:
        self._looked_at[queue] = asyncio.get_running_loop().time()
        try:
            claims = await self.store.claim(queue, count)
            self._tell_back()
        except StoreUnavailable as error:
            self._tell_away(error)
            claims = ()
        if claims:
            self._served[queue] = next(self._claims)
        if len(claims) < count:
            self._hungry.discard(queue)
        if claims:
            await self._hand_over(queue, claims)

    def _tell_away(self, error: StoreUnavailable) -> None:
        # Once: it is asked several times a second.
        if not self._store_away:
            log.warning("claims pause: %s", error, extra={"event": "store.unavailable"})
        self._store_away = True

    def _tell_back(self) -> None:
        if self._store_away:
            log.info("claims go on", extra={"event": "store.back"})
        self._store_away = False

    async def _hand_over(self, queue: QueueName, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self.slots.take(queue, claim.run)
            extra = {"event": "job.processing", "job_id": claim.job_id, "queue": queue, "runs": claim.runs}
            log.info("job %s is taken up, run %d", claim.job_id, claim.runs, extra=extra)
        await self.pools[queue].tell(StartJobs(tuple(claims)))

    async def _ask_holdings(self, queue: QueueName) -> None:
        try:
            held = await self.pools[queue].ask(Holdings(), timeout_s=_HOLDINGS_TIMEOUT_S)
        except (ActorGone, TimeoutError):
            return  # asked again at the next message; until then the queue gets no jobs
        self.slots.reset(queue, held)
        self._unsure.discard(queue)
        self._hungry.add(queue)
