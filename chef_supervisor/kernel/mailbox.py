"""
Two lanes of unread messages in front of one reader.

The user lane is bounded and its senders wait. The system lane is unbounded, so that it can neither be blocked nor
dropped, and is read first; what bounds it is the number of children and watches.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import attrs

from chef_supervisor.kernel.errors import ActorGone, MailboxFull, Refusal


def _fail(future: asyncio.Future[Any], error: Refusal) -> None:
    if not future.done():
        future.set_exception(error)


@attrs.define(eq=False)
class Envelope:
    """A message, and where its answer goes if it was asked."""

    message: Any
    reply: asyncio.Future[Any] | None = None

    @property
    def abandoned(self) -> bool:
        """Returns: whether the asker has stopped waiting."""
        return self.reply is not None and self.reply.done()

    def answer(self, value: object) -> None:
        """Give the answer, if somebody still waits for one."""
        if self.reply is not None and not self.reply.done():
            self.reply.set_result(value)

    def refuse(self, error: Refusal) -> None:
        """Let the ask fail, if it is not settled yet."""
        if self.reply is not None:
            _fail(self.reply, error)


class Mailbox:
    """Unread messages of one address; they outlive the incarnations that read them."""

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        self.closed = False
        self._system: deque[Envelope] = deque()
        self._user: deque[Envelope] = deque()
        # Senders that wait for room, in order. Not empty only while the user lane is full.
        self._blocked: deque[tuple[Envelope, asyncio.Future[None]]] = deque()
        self._reader: asyncio.Future[None] | None = None

    def unread(self) -> tuple[object, ...]:
        """Returns: the user messages nobody has read yet, oldest first; those of waiting senders are not among them."""
        return tuple(envelope.message for envelope in self._user)

    def put_system(self, message: object) -> None:
        """Deliver first and without a bound; dropped when the address is closed, for then nobody can act on it."""
        if not self.closed:
            self._system.append(Envelope(message))
            self._wake()

    def put_nowait(self, envelope: Envelope) -> None:
        """
        Deliver or refuse.

        Raises:
            MailboxFull: `capacity` messages are unread.
            ActorGone: the address is closed.
        """
        if self.closed:
            raise ActorGone(self.name)
        if len(self._user) >= self.capacity:
            raise MailboxFull(self.name, self.capacity)
        self._user.append(envelope)
        self._wake()

    async def put(self, envelope: Envelope) -> None:
        """
        Deliver as soon as there is room; senders get it in the order they came.

        Raises:
            ActorGone: the address is closed, or was while we waited.
        """
        if self.closed or len(self._user) < self.capacity:
            self.put_nowait(envelope)
            return
        room = asyncio.get_running_loop().create_future()
        # The reader moves the envelope itself. Were we only woken to try again, a sender cancelled between the two
        # would lose the room it was given, and a newcomer could overtake.
        self._blocked.append((envelope, room))
        await room

    async def get(self) -> Envelope:
        """Returns: the oldest system message, else the oldest user message still wanted. A cancel loses none."""
        while (envelope := self._take()) is None:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return envelope

    def withdraw(self, envelope: Envelope) -> None:
        """Give the room of an ask that nobody waits for any more to others; no-op if it has been read."""
        if envelope in self._user:
            self._user.remove(envelope)
            self._admit()

    def flush(self) -> None:
        """Forget what is unread; asks fail with ActorGone. Senders that wait for room get it: they are not in yet."""
        unread, self._user = self._user, deque()
        self._system.clear()
        for envelope in unread:
            envelope.refuse(ActorGone(self.name))
        self._admit()

    def close(self) -> None:
        """Take no more; whoever waits for room or for an answer gets ActorGone."""
        self.closed = True
        blocked, self._blocked = self._blocked, deque()
        for _, room in blocked:
            _fail(room, ActorGone(self.name))
        self.flush()

    def _take(self) -> Envelope | None:
        if self._system:
            return self._system.popleft()
        while self._user:
            envelope = self._user.popleft()
            self._admit()
            # Not executed, for nobody would know that it was. The asker withdraws it too, but maybe only in a moment.
            if not envelope.abandoned:
                return envelope
        return None

    def _admit(self) -> None:
        while self._blocked and len(self._user) < self.capacity:
            envelope, room = self._blocked.popleft()
            if not room.done():
                self._user.append(envelope)
                room.set_result(None)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
