"""What every part of the Redis store stands on: the connections, and the commands of each queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from redis.exceptions import ResponseError

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import Fence, JobId, QueueName, queue_of
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.connect import Command, Lines, Reply, make_line
from chef_supervisor.store.errors import bounded
from chef_supervisor.store.evaluate import Evaluator
from chef_supervisor.store.keys import QueueKeys
from chef_supervisor.store.plain import PlainCommands
from chef_supervisor.store.queue_commands import Commands, QueueCommands, fence_text
from chef_supervisor.store.server_clock import ServerClock

NONCE_BYTES: Final = 16


class StoreBase:
    """Connects at the first call; each queue, command and kind of blocking has its own flights."""

    def __init__(self, config: StoreConfig, *, now_ms: Callable[[], int] | None = None) -> None:
        """Take `now_ms` as the clock where it is given, as tests do, and the server's own otherwise."""
        self._config = config
        # See `JobStore`.
        self.on_change: Callable[[QueueName], None] = lambda _queue: None
        self._timeout_s = config.command_timeout_s
        self._lines = Lines(lambda: make_line(config))
        # Apart from the others: a blocked connection is of no use to anybody else.
        self._blocking = Lines(lambda: make_line(config))
        clock = ServerClock(now_ms, self._timeout_s)
        self._evaluator = Evaluator(self._lines, clock, self._timeout_s, config.confirm_s)
        self._queues = {queue: self._open(queue) for queue in config.queues}
        self._plain = PlainCommands(self._lines, self._timeout_s)
        # What the last preflight refused.
        self._unfit: tuple[str, ...] = ()

    async def close(self) -> None:
        """See `JobStore`. What is under way may end, within the time of one command."""
        batchers = [batcher for queue in self._queues.values() for batcher in queue.batchers()] + [self._plain.batcher]
        try:
            async with asyncio.timeout(self._timeout_s):
                for batcher in batchers:
                    await batcher.close()
        except TimeoutError:
            for batcher in batchers:
                batcher.abort()
                await batcher.close()
        await self._lines.close()
        await self._blocking.close()

    def _open(self, queue: QueueName) -> QueueCommands:
        return QueueCommands(QueueKeys(self._config.key_prefix, queue), self._config, self._evaluator)

    def _at(self, queue: QueueName) -> QueueCommands:
        return self._queues[queue]

    def _of(self, job_id: JobId) -> QueueCommands:
        queue = self._queues.get(queue_of(job_id))
        if queue is None:
            raise UnknownJob(job_id)
        return queue

    def _changed(self, job_id: JobId, changed: bool) -> bool:  # noqa: FBT001 - it is handed on
        if changed:
            self.on_change(queue_of(job_id))
        return changed

    async def _fenced(self, command: Commands, job_id: JobId, fence: Fence, *rest: str | bytes | int) -> int:
        """Returns: the script's code; 0 = fenced."""
        async with bounded(self._timeout_s + self._config.confirm_s):
            return int(await command.call((job_id, fence_text(fence), *rest)))

    async def _block(self, command: Command, wait_s: float) -> Reply:
        # Past the time that the server was told to wait, its silence means that it is gone.
        async with bounded(wait_s + self._timeout_s):
            [reply] = await self._blocking.run([command])
            if isinstance(reply, ResponseError):
                raise reply
            return reply
