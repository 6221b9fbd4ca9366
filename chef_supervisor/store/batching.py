"""
Group commit: concurrent callers of one command share a round trip. Knows nothing of Redis.

While a flight or two are under way, what comes in waits and goes with the next; nobody waits when none is. Callers
never run the flight themselves, so that a cancelled one drops out and the others get their replies.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

import attrs

from chef_supervisor.domain.errors import ChefError, StoreUnavailable

ItemT = TypeVar("ItemT")
ReplyT = TypeVar("ReplyT")
Send: TypeAlias = Callable[[Sequence[ItemT]], Awaitable[Sequence[ReplyT | ChefError]]]

MAX_ITEMS: Final = 256
MAX_BYTES: Final = 1 << 20
MAX_FLIGHTS: Final = 2


@attrs.frozen
class _Waiting(Generic[ItemT, ReplyT]):
    item: ItemT
    reply: asyncio.Future[ReplyT]


@attrs.define(eq=False)
class Batcher(Generic[ItemT, ReplyT]):
    """
    Coalesces calls into flights of at most `max_items` and `max_bytes` (a larger item flies alone).

    `send` answers one reply, or error, for each item. `orphaned` gets a reply whose caller was cancelled meanwhile.
    `pace_s`: while a flight is under way the next departs so long after it; for flights that take long in themselves.
    """

    send: Send[ItemT, ReplyT]
    weigh: Callable[[ItemT], int] = attrs.field(default=lambda _item: 0, kw_only=True)
    orphaned: Callable[[ItemT, ReplyT], None] = attrs.field(default=lambda _item, _reply: None, kw_only=True)
    max_items: int = attrs.field(default=MAX_ITEMS, kw_only=True)
    max_bytes: int = attrs.field(default=MAX_BYTES, kw_only=True)
    max_flights: int = attrs.field(default=MAX_FLIGHTS, kw_only=True)
    pace_s: float = attrs.field(default=0.0, kw_only=True)
    _waiting: deque[_Waiting[ItemT, ReplyT]] = attrs.field(factory=deque, init=False)
    # Strong references: the event loop holds only weak ones.
    _flights: set[asyncio.Task[Sequence[ReplyT | ChefError]]] = attrs.field(factory=set, init=False)
    _departing: bool = attrs.field(default=False, init=False)
    _departed_at: float = attrs.field(default=float("-inf"), init=False)

    async def call(self, item: ItemT) -> ReplyT:
        """
        Returns: the reply to the item.

        Raises:
            Exception: what `send` raised or answered for it.
        """
        reply = self._enqueue(item)
        try:
            return await reply
        except asyncio.CancelledError:
            # The reply came in the very turn of the loop in which the caller was cancelled.
            if reply.done() and not reply.cancelled() and reply.exception() is None:
                self.orphaned(item, reply.result())
            raise

    def post(self, item: ItemT) -> None:
        """Send an item whose reply nobody waits for, and whose failure does not matter."""
        self._enqueue(item).add_done_callback(lambda reply: reply.cancelled() or reply.exception())

    async def close(self) -> None:
        """Wait for the flights under way and whoever waits for the next."""
        while self._flights or self._waiting:
            await asyncio.sleep(0)
            if self._flights:
                await asyncio.wait(self._flights)

    def abort(self) -> None:
        """Cancel the flights under way; their callers and those who wait get StoreUnavailable."""
        for waiting in self._waiting:
            _fail(waiting, StoreUnavailable("it is being closed"))
        self._waiting.clear()
        for flight in self._flights:
            flight.cancel()

    def _enqueue(self, item: ItemT) -> asyncio.Future[ReplyT]:
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[ReplyT] = loop.create_future()
        self._waiting.append(_Waiting(item, reply))
        if not self._departing:
            # Not at once: callers that are ready in the same turn of the loop come along.
            self._departing = True
            loop.call_soon(self._depart)
        return reply

    def _depart(self) -> None:
        self._departing = False
        while self._waiting and len(self._flights) < self.max_flights and not self._is_too_soon():
            if batch := self._next_batch():
                self._fly(batch)

    def _is_too_soon(self) -> bool:
        loop = asyncio.get_running_loop()
        at = self._departed_at + self.pace_s
        if not self.pace_s or not self._flights or loop.time() >= at:
            self._departed_at = loop.time()
            return False
        if not self._departing:
            self._departing = True
            loop.call_at(at, self._depart)
        return True

    def _next_batch(self) -> list[_Waiting[ItemT, ReplyT]]:
        batch: list[_Waiting[ItemT, ReplyT]] = []
        weight = 0
        while self._waiting and len(batch) < self.max_items:
            if self._waiting[0].reply.cancelled():
                self._waiting.popleft()
                continue
            weight += self.weigh(self._waiting[0].item)
            if batch and weight > self.max_bytes:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _fly(self, batch: list[_Waiting[ItemT, ReplyT]]) -> None:
        items = [waiting.item for waiting in batch]
        flight: asyncio.Task[Sequence[ReplyT | ChefError]] = asyncio.ensure_future(self.send(items))
        self._flights.add(flight)
        flight.add_done_callback(lambda landed: self._land(landed, batch))

    def _land(self, flight: asyncio.Task[Sequence[ReplyT | ChefError]], batch: list[_Waiting[ItemT, ReplyT]]) -> None:
        self._flights.discard(flight)
        if flight.cancelled():
            error: BaseException | None = StoreUnavailable("it is being closed")
        else:
            error = flight.exception()
        if error is not None:
            for waiting in batch:
                _fail(waiting, error)
        else:
            for waiting, reply in zip(batch, flight.result(), strict=True):
                self._deliver(waiting, reply)
        self._depart()

    def _deliver(self, waiting: _Waiting[ItemT, ReplyT], reply: ReplyT | ChefError) -> None:
        if isinstance(reply, ChefError):
            _fail(waiting, reply)
        elif waiting.reply.cancelled():
            self.orphaned(waiting.item, reply)
        else:
            waiting.reply.set_result(reply)


def _fail(waiting: _Waiting[ItemT, ReplyT], error: BaseException) -> None:
    if not waiting.reply.done():
        waiting.reply.set_exception(error)
