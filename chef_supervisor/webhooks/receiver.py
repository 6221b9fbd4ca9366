"""The one protocol of all receivers."""

from __future__ import annotations

from typing import Protocol

from chef_supervisor.domain.delivery import Answer, Message, ReceiverName


class Receiver(Protocol):
    """Somebody who is told of jobs. Safe for concurrent use; how often and when is the caller's affair."""

    name: ReceiverName
    # So many requests at once.
    concurrency: int
    # Whether it is told of starts and progress.
    progress: bool

    async def deliver(self, message: Message) -> Answer:
        """
        Tell it once, within a deadline of its own (15 s; 5 s for starts and progress). Never raises for what the
        network or the receiver does.
        """

    async def close(self) -> None:
        """Let go of its connections."""
