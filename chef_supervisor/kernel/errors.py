"""
What the kernel itself can say no to, and how it fails. Domain errors are another tree and the two never meet.

Refusal                 an answer: raised while answering an ask, it goes to the asker and the actor lives on
    StartFailed             the actor did not come up
    AlreadyStarted          the address has a living incarnation
    MailboxFull             no room, and the sender did not want to wait
    ActorGone               nobody will read this
RestartsExhausted       a supervisor gives up: too many restarts in its period
ChildStuck              a child outlived its cancellation; only the end of the process can end it
"""

from __future__ import annotations

import attrs


class Refusal(Exception):
    """A refusal to do what was asked, told to whoever asked."""


@attrs.frozen(str=False)
class StartFailed(Refusal):
    """`on_start` (or building the actor) raised, or there was no place for it; `__cause__` has the error if any."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name} did not start: {self.why}"


@attrs.frozen(str=False)
class AlreadyStarted(Refusal):
    """An address has one incarnation at a time."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} is already running"


@attrs.frozen(str=False)
class MailboxFull(Refusal):
    """The user lane holds `capacity` unread messages. Where credit covers the sender, this is a bug."""

    name: str
    capacity: int

    def __str__(self) -> str:
        return f"{self.name} has {self.capacity} unread messages and takes no more"


@attrs.frozen(str=False)
class ActorGone(Refusal):
    """The address is closed, or the incarnation ended before it answered, or the unread message was flushed."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} is gone"


@attrs.frozen(str=False)
class RestartsExhausted(Exception):
    """More than `max_restarts` within `period_s` seconds; the supervisor stopped its children and failed."""

    name: str
    max_restarts: int
    period_s: float

    def __str__(self) -> str:
        return f"{self.name} restarted children {self.max_restarts} times in {self.period_s:g} s and gives up"


@attrs.frozen(str=False)
class ChildStuck(Exception):
    """A child was cancelled and still runs. Restarting beside it could do its work twice, so this goes to the root."""

    path: str
    grace_s: float

    def __str__(self) -> str:
        return f"{self.path} still runs {self.grace_s:g} s after it was cancelled"
