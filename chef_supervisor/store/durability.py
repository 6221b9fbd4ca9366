"""
Whether Redis has on its disk what it acknowledged: asked by WAITAOF, in the pipeline of the commands it is asked about.

On their connection, because another one may lead to a server that restarted meanwhile and has lost them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from redis.exceptions import ResponseError

from chef_supervisor.domain.errors import NotDurable
from chef_supervisor.store.connect import Command, Reply

# Who waits for longer than that between two writes finds the mark gone, and it is made anew.
_MARK_MS: Final = 3_600_000


def questions(mark: str, wait_ms: int) -> tuple[Command, ...]:
    """
    Returns: what is to be sent behind the commands.

    WAITAOF waits for what its own connection has written. A command that was made again finds its work done and writes
    nothing, so the mark is written first: all that came before it is on disk when it is. Where memory is full, SET is
    refused and PEXPIRE is not.
    """
    return (("SET", mark, "1"), ("PEXPIRE", mark, _MARK_MS), ("WAITAOF", 1, 0, wait_ms))


def doubt(answers: Sequence[Reply | ResponseError]) -> NotDurable | None:
    """Returns: why the commands before the questions must not be taken for durable; None where they are."""
    _, marked, synced = answers
    if isinstance(synced, ResponseError):
        return NotDurable("it has no append-only file, or is older than 7.2")
    if marked != 1 or synced[0] < 1:
        return NotDurable("its disk did not answer in time")
    return None
