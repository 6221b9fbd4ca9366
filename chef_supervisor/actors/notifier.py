"""
Delivers what is in the outbox. Owns how much each receiver is asked at a time; what becomes of an answer is policy.

What it takes it holds on lease, so that its death, or that of the process, delays deliveries and loses none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Final, Never

import attrs

from chef_supervisor.delivering import INTERNAL_ERROR, Delivering, Lease, tell_of_crash
from chef_supervisor.domain.delivery import Answer, Delivery, ReceiverName
from chef_supervisor.domain.gate import Gate, Gates
from chef_supervisor.domain.job import QueueName
from chef_supervisor.kernel import Actor, Crashed, attempt
from chef_supervisor.lookout import Due, Lookout
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.strangers import Strangers
from chef_supervisor.webhooks.receiver import Receiver
from chef_supervisor.webhooks.receivers import Receivers

log = logging.getLogger("chef.notifier")
# What other processes put into the outbox is told to nobody here.
_POLL_S: Final = 1.0
# Where something was due and nothing was got: it had its end, and more may be behind it.
_SOON_S: Final = 0.02
_TIDY_S: Final = 5.0
# Where nobody can be told: what waits in the outbox is for others, and only what is too old has its end.
_NOBODY_S: Final = 10.0


@attrs.define(eq=False, kw_only=True)
class Notifier(Actor[Never]):
    """
    Looks when `changed` is set (by `JobStore.on_change`), when something falls due, when a delivery ended, and once a
    second (every 10 s, and for no change, where no receiver is known); takes for each receiver what it may be asked now, and no more.

    `lease_s`: the store's, of deliveries. `grace_s`: what deliveries under way have to end when it stops: 3 s less than
    its `shutdown_s`, in which those that did not are given back.
    """

    store: JobStore
    queues: tuple[QueueName, ...]
    receivers: Receivers
    changed: asyncio.Event
    lease_s: float
    grace_s: float
    chance: Callable[[], float] = random.random
    _delivering: Delivering = attrs.field(init=False)
    _lookout: Lookout = attrs.field(init=False)
    _strangers: Strangers = attrs.field(init=False)
    _gates: Gates = attrs.field(factory=Gates, init=False)
    _under_way: set[asyncio.Task[None]] = attrs.field(factory=set, init=False)
    _looking: asyncio.Task[None] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make what it works with."""
        self._delivering = Delivering(self.store, self.chance)
        self._lookout = Lookout(self.store, self.queues, self.receivers.names)
        self._strangers = Strangers(self.receivers.knows)

    async def on_start(self) -> None:
        """Begin to look."""
        self._looking = self.ctx.spawn(self._look(), name="look")
        self.ctx.spawn(self._tidy(), name="tidy")

    async def receive(self, message: object) -> None:
        """Nobody tells the notifier anything."""

    async def on_stop(self) -> None:
        """Take nothing more, and wait for what is under way; what does not end in time is given back."""
        self.changed.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.grace_s):
                await asyncio.wait({self._looking})
                while self._under_way:
                    await asyncio.wait(self._under_way)
        left = {self._looking, *self._under_way}
        for task in left:
            task.cancel()
        await asyncio.wait(left)

    async def _look(self) -> None:
        while not self.ctx.stopping.done():
            self.changed.clear()
            wait_s = await self._round()
            if self.receivers.nobody:
                await asyncio.wait({self.ctx.stopping}, timeout=_NOBODY_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self.changed.wait()

    async def _round(self) -> float:
        """Returns: when to look again, in seconds."""
        waits_s, serving = [_POLL_S], []
        due = await self._lookout.due()
        self._strangers.see(due)
        async with asyncio.TaskGroup() as group:
            for name, what in due.items():
                wait_s = self._wait_s(name, what)
                waits_s.append(wait_s or _POLL_S)
                if not wait_s:
                    serving.append(group.create_task(self._served(name, what)))
        self._strangers.swept(_now_s())
        return min(waits_s + [task.result() for task in serving])

    def _wait_s(self, name: ReceiverName, due: Due) -> float:
        """Returns: 0 where something can be taken for it; infinite where the end of a delivery will say when."""
        if name in self._strangers:
            return max(due.in_s, self._strangers.wait_s(_now_s()))
        gate = self._gates.known(name)
        if due.in_s or gate is None or gate.free(_now_s()):
            return due.in_s
        return gate.wait_s(_now_s())

    async def _served(self, name: ReceiverName, due: Due) -> float:
        """As `_serve`; what is wrong with one receiver costs no other, and is tried again after growing pauses."""
        wait_s = await attempt(self._serve(name, due))
        if not isinstance(wait_s, Crashed):
            return wait_s
        tell_of_crash(wait_s.error, name)
        gate = self._gate(name)
        ticket = gate.begin(_now_s())
        self._note(gate, ticket, name, INTERNAL_ERROR)
        gate.end(ticket, _now_s())
        return _POLL_S

    async def _serve(self, name: ReceiverName, due: Due) -> float:
        """Take what is due for one receiver. Returns: when to look again, in seconds."""
        if name in self._strangers:
            for queue in due.queues:
                await self._lookout.take(queue, name, 0)
            return _POLL_S
        receiver = self.receivers.hold(name, _now_s())
        if receiver is None:
            return _POLL_S
        try:
            return await self._take(self._gate(name, receiver.concurrency), name, receiver, due)
        finally:
            self.receivers.release(name, _now_s())

    async def _take(self, gate: Gate, name: ReceiverName, receiver: Receiver, due: Due) -> float:
        got = 0
        for queue in due.queues:
            asked_s = _now_s()
            free = gate.free(asked_s)
            if not free:
                return _POLL_S
            taken = await self._lookout.take(queue, name, free)
            if taken is None:
                return _POLL_S
            for delivery in taken:
                self._begin(gate, delivery, receiver, Lease.since(asked_s, self.lease_s))
            got += len(taken)
        return _SOON_S if due.sure and not got else _POLL_S

    def _begin(self, gate: Gate, delivery: Delivery, receiver: Receiver, lease: Lease) -> None:
        ticket = gate.begin(_now_s())
        told = self._deliver(gate, ticket, delivery, receiver, lease)
        # First: where it dies already nothing is spawned, and nobody would release the receiver, which lives on.
        task = self.ctx.spawn(told, name=f"deliver-{delivery.event_id}")
        self.receivers.hold(delivery.receiver, _now_s())
        self._under_way.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._under_way.discard(task)
            gate.end(ticket, _now_s())
            self.receivers.release(delivery.receiver, _now_s())
            self.changed.set()

        task.add_done_callback(ended)

    async def _deliver(self, gate: Gate, ticket: int, delivery: Delivery, receiver: Receiver, lease: Lease) -> None:
        answer = self._delivering.foregone(delivery)
        if answer is None:
            answer = await self._delivering.tell(delivery, receiver, lease)
            # A fault of ours says nothing of the receiver.
            if answer not in {None, INTERNAL_ERROR}:
                self._note(gate, ticket, receiver.name, answer)
        await self._delivering.settle(delivery, answer, lease)

    def _note(self, gate: Gate, ticket: int, name: ReceiverName, answer: Answer) -> None:
        now_s, breaker = _now_s(), gate.breaker
        if not gate.answered(ticket, answer, now_s, self.chance()):
            return
        extra: dict[str, object] = {"receiver": name, "reason": answer.reason}
        if breaker.until_s is None:
            log.info("%s answers; it is told again", name, extra=extra | {"event": "receiver.back"})
        else:
            pause_s = round(breaker.until_s - now_s, 1)
            told = extra | {"event": "receiver.paused", "pause_s": pause_s}
            log.warning("%s is told nothing for %s s: %s", name, pause_s, answer.reason, extra=told)

    def _gate(self, name: ReceiverName, limit: int = 1) -> Gate:
        return self._gates.use(name, limit, _now_s(), careful=name not in self.receivers.names)

    async def _tidy(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TIDY_S):
                    await self.receivers.dropped.wait()
            await self.receivers.tidy(_now_s())
            # There may be room for others.
            self.changed.set()
            self._gates.tidy(_now_s())


def _now_s() -> float:
    return asyncio.get_running_loop().time()
