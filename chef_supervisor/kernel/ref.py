"""
A stable address: made when the tree is wired, before any actor. Incarnations come and go behind it; senders do not see
a restart. It owns the mailbox and knows who watches.
"""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

from chef_supervisor.kernel.errors import AlreadyStarted
from chef_supervisor.kernel.mailbox import Envelope, Mailbox
from chef_supervisor.kernel.messages import Down, Gone, Question, Reason

M_contra = TypeVar("M_contra", contravariant=True)
A = TypeVar("A")


class Ref(Generic[M_contra]):
    """
    The address of an actor that takes messages of type `M_contra`. Messages sent before it starts wait for it.

    Args:
        name: unique among siblings; part of the path in logs.
        capacity: unread user messages before `tell` waits.
    """

    def __init__(self, name: str, capacity: int = 64) -> None:
        self.name = name
        # For the incarnation only, which reads it.
        self.mailbox = Mailbox(name, capacity)
        self._occupied = False
        # watcher -> was told of an end since it watches. A dict, for Downs to go out in the order of the watches.
        self._watchers: dict[Ref[Any], bool] = {}

    def __repr__(self) -> str:
        state = "closed" if self.closed else "running" if self.running else "waiting"
        return f"<Ref {self.name} {state}, {len(self.unread)} unread>"

    @property
    def closed(self) -> bool:
        """Returns: whether nobody lives here and nobody is to be started."""
        return self.mailbox.closed

    @property
    def running(self) -> bool:
        """Returns: whether an incarnation lives here."""
        return self._occupied

    @property
    def unread(self) -> tuple[object, ...]:
        """Returns: the user messages that wait to be read, oldest first."""
        return self.mailbox.unread()

    async def tell(self, message: M_contra) -> None:
        """
        Deliver `message`, waiting for room. Only downstream: two actors that wait for each other's room never go on.

        Raises:
            ActorGone: the address is closed, or was while we waited.
        """
        await self.mailbox.put(Envelope(message))

    def tell_nowait(self, message: M_contra) -> None:
        """
        Deliver `message` now; the only way upstream, where credit must cover it.

        Raises:
            MailboxFull: no room; nothing was delivered.
            ActorGone: the address is closed.
        """
        self.mailbox.put_nowait(Envelope(message))

    async def ask(self, question: Question[A], timeout_s: float) -> A:
        """
        Deliver `question`, waiting for room, and wait for its answer.

        Raises:
            TimeoutError: no answer after `timeout_s` seconds. If it was still unread, it never will be executed; if it
                was being handled, that goes on and its answer is lost.
            ActorGone: the address is closed, or the actor ended before it answered.
            Refusal: what the actor answered with.
        """
        reply: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        envelope = Envelope(question, reply)
        try:
            async with asyncio.timeout(timeout_s):
                await self.mailbox.put(envelope)
                return await reply
        finally:
            # Also when cancelled just as we got room, where nothing has cancelled the reply yet: it must not be
            # executed for nobody, and an error that nobody will look at must not be reported as lost.
            reply.cancel()
            if reply.cancelled():
                self.mailbox.withdraw(envelope)

    def watch(self, watcher: Ref[Any]) -> None:
        """
        Send `watcher` one Down for every incarnation that ends from now on, until the address closes.

        A closed address answers at once, and one that closes without another end says so: no watch is left without a
        Down. Watching twice is watching once.
        """
        if self.closed:
            watcher.notify(Down(self, Gone()))
        else:
            self._watchers[watcher] = False

    # What follows is for cells and supervisors.

    def notify(self, message: object) -> None:
        """Put `message` into the system lane."""
        self.mailbox.put_system(message)

    def occupy(self) -> None:
        """
        Begin an incarnation; a closed address is opened again.

        Raises:
            AlreadyStarted: there is one.
        """
        if self._occupied:
            raise AlreadyStarted(self.name)
        self._occupied = True
        self.mailbox.closed = False

    def vacate(self, reason: Reason) -> None:
        """End an incarnation and tell the watchers; those whose own address is closed are forgotten."""
        self._occupied = False
        self._watchers = {watcher: True for watcher in self._watchers if not watcher.closed}
        for watcher in self._watchers:
            watcher.notify(Down(self, reason))

    def close(self) -> None:
        """Nobody will be started here: senders, askers and watchers are told. Closing twice is closing once."""
        self.mailbox.close()
        watchers, self._watchers = self._watchers, {}
        for watcher, told in watchers.items():
            if not told:
                watcher.notify(Down(self, Gone()))
