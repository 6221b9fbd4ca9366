"""Commands of Redis without a script: reads, and writes that may be repeated. Concurrent callers share a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import attrs
from redis.exceptions import ResponseError

from chef_supervisor.domain.errors import ChefError
from chef_supervisor.store.batching import Batcher
from chef_supervisor.store.connect import Command, Lines, Reply
from chef_supervisor.store.errors import REDIS_ERRORS, bounded, is_lost, translated

# A large payload may take longer than a command does: this is the slowest way to Redis that is worth having.
LEAST_BYTES_PER_S: Final = 10 << 20


@attrs.define(eq=False)
class Asked:
    """The commands of one caller, and how much they are."""

    commands: tuple[Command, ...]
    size_bytes: int


@attrs.define(eq=False)
class PlainCommands:
    """
    One batcher for all queues; in a flight the commands of one caller stay together.

    `timeout_s`: for small commands; large ones may take as much longer as their bytes do.
    """

    lines: Lines
    timeout_s: float
    batcher: Batcher[Asked, list[Reply]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.batcher = Batcher(self._send, weigh=attrgetter("size_bytes"))

    async def run(self, *commands: Command) -> list[Reply]:
        """
        Returns: one reply per command.

        Raises:
            StoreUnavailable: no answer in time, or Redis is not fit for use.
            Bug: Redis refused a command.
        """
        asked = Asked(commands, _weight(commands))
        async with bounded(self._patience_s([asked])):
            return await self.batcher.call(asked)

    async def _send(self, callers: Sequence[Asked]) -> list[list[Reply] | ChefError]:
        flat = [command for asked in callers for command in asked.commands]
        async with bounded(self._patience_s(callers)):
            replies = iter(await self._run(flat))
        return [_reply([next(replies) for _ in asked.commands]) for asked in callers]

    def _patience_s(self, callers: Sequence[Asked]) -> float:
        return self.timeout_s + sum([asked.size_bytes for asked in callers]) / LEAST_BYTES_PER_S

    async def _run(self, commands: Sequence[Command]) -> list[Reply | ResponseError]:
        try:
            return await self.lines.run(commands)
        except (*REDIS_ERRORS, OSError) as error:
            if not is_lost(error):
                raise
        # The server went away and came back; the connections of before were as dead as this one and are gone too.
        return await self.lines.run(commands)


def _reply(replies: list[Reply | ResponseError]) -> list[Reply] | ChefError:
    for reply in replies:
        if isinstance(reply, ResponseError):
            return translated(reply)
    return replies


def _weight(commands: Sequence[Command]) -> int:
    return sum([len(value) for command in commands for value in command if isinstance(value, (str, bytes))])
