"""A receiver that answers as a test says, and remembers what it was told and when."""

from __future__ import annotations

import asyncio

import attrs

from chef_supervisor.domain.delivery import Answer, Answered, Message, ReceiverName
from chef_supervisor.domain.job import JobId

TAKEN = Answer(answered=Answered.TAKEN)
GONE = Answer(answered=Answered.GONE, reason="http_410")
REFUSED = Answer(answered=Answered.REFUSED, reason="function_failed")


def failed(reason: str = "http_500", *, retry_after_s: float | None = None) -> Answer:
    """Returns: a failure that a later try may not meet; with a time, of a receiver that is overloaded."""
    throttled = retry_after_s is not None
    return Answer(answered=Answered.FAILED, reason=reason, throttled=throttled, retry_after_s=retry_after_s)


@attrs.define(eq=False)
class FakeReceiver:
    """
    `answers`: those to the next tries in turn, and then `rest` for ever. `takes_s`: how long each try takes;
    `hangs`: no answer. `told`: by the event loop's clock, when a try began and what was told.
    """

    name: ReceiverName
    concurrency: int = 8
    answers: list[Answer] = attrs.field(factory=list)
    rest: Answer = TAKEN
    takes_s: float = 0.0
    hangs: bool = False
    progress: bool = True
    breaks: list[Exception] = attrs.field(factory=list)
    told: list[tuple[float, Message]] = attrs.field(factory=list)
    under_way: list[JobId] = attrs.field(factory=list)
    most_under_way: int = 0
    closed: bool = False
    closing_hangs: bool = False

    async def deliver(self, message: Message) -> Answer:
        """Answer."""
        assert message.job_id not in self.under_way, "two tries for one job at a time"
        self.told.append((asyncio.get_running_loop().time(), message))
        self.under_way.append(message.job_id)
        self.most_under_way = max(self.most_under_way, len(self.under_way))
        try:
            return await self._answer()
        finally:
            self.under_way.remove(message.job_id)

    async def close(self) -> None:
        """Take note."""
        if self.closing_hangs:
            await asyncio.Event().wait()
        self.closed = True

    @property
    def seqs(self) -> list[int]:
        """What was told, by its numbers."""
        return [message.seq for _, message in self.told]

    @property
    def times_s(self) -> list[float]:
        """When each try began."""
        return [round(at_s, 1) for at_s, _ in self.told]

    async def _answer(self) -> Answer:
        if self.breaks:
            raise self.breaks.pop(0)
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.takes_s)
        return self.answers.pop(0) if self.answers else self.rest
