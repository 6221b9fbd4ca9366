"""
Descriptors that are waited for: pipes to a box, and the ends of processes.

Not asyncio's own pipes: a cancellation while they are taken up leaves them open (asyncio), or closes them twice (uvloop).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import IO, Any


class Descriptor:
    """
    One open file that never blocks, and is ours to close. At any time one task may wait for it.

    A process's (`os.pidfd_open`) becomes readable when that process has ended.
    """

    def __init__(self, file: IO[bytes]) -> None:
        os.set_blocking(file.fileno(), False)
        self._file = file
        self._ready: asyncio.Future[None] | None = None

    @classmethod
    def of_process(cls, pid: int) -> Descriptor:
        """
        Returns: the descriptor of a child that was not waited for yet, or of any process that is sure to live.

        Raises:
            OSError: no descriptor is free.
        """
        return cls(os.fdopen(os.pidfd_open(pid), "rb", buffering=0))

    def fileno(self) -> int:
        """Returns: its number."""
        return self._file.fileno()

    async def readable(self) -> bool:
        """Wait until there is something to read, or the end. Returns: False where it was closed meanwhile."""
        loop = asyncio.get_running_loop()
        return await self._wait(loop.add_reader, loop.remove_reader)

    async def read(self, most_bytes: int) -> bytes:
        """Returns: what there is; empty at the end, whatever ended it."""
        while await self.readable():
            try:
                return os.read(self.fileno(), most_bytes)
            except BlockingIOError:
                continue
            except OSError:
                break
        return b""

    async def write(self, content: bytes) -> None:
        """
        Write all of it, waiting for room.

        Raises:
            OSError: nobody reads it any more, or it was closed.
        """
        loop = asyncio.get_running_loop()
        rest = memoryview(content)
        while rest:
            if not await self._wait(loop.add_writer, loop.remove_writer):
                raise BrokenPipeError
            try:
                rest = rest[os.write(self.fileno(), rest) :]
            except BlockingIOError:
                continue

    def close(self) -> None:
        """Close it, if it is open; whoever waits for it is told."""
        if self._file.closed:
            return
        loop = asyncio.get_running_loop()
        # Before the number is free for others: the loop knows descriptors by nothing else.
        loop.remove_reader(self.fileno())
        loop.remove_writer(self.fileno())
        self._file.close()
        if self._ready is not None:
            _wake(self._ready)

    async def _wait(self, add: Callable[..., Any], remove: Callable[[int], object]) -> bool:
        if self._file.closed:
            return False
        self._ready = asyncio.get_running_loop().create_future()
        add(self.fileno(), _wake, self._ready)
        try:
            await self._ready
        finally:
            if not self._file.closed:
                remove(self.fileno())
        return not self._file.closed


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
