"""
A way to Redis that is as bad as a test wants it, for services that run as processes of their own.

It listens on a unix socket, from a thread with an event loop of its own, and passes on what comes.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

_CHUNK_BYTES: Final = 1 << 16
# What TCP waits at least before it sends again what was lost.
_RESEND_S: Final = 0.2


class _Ended(Exception):
    """One way of a connection is over, and so is the other."""


@attrs.define(eq=False)
class Wire:
    """
    Read at every chunk, so that a test may change them at any time; set them from any thread.

    Attributes:
        target: the socket of the server that new connections lead to.
        delay_s: how long a chunk takes, each way.
        loss: the share of chunks that are lost once and sent again.
        silent: nothing passes any more, and nobody is told: the other end is gone without a word. `silence` does the
            same to the connections there are, and new ones lead on.
    """

    path: Path
    target: str
    delay_s: float = 0.0
    loss: float = 0.0
    silent: bool = False
    _chance: random.Random = attrs.field(factory=lambda: random.Random(17), init=False)
    _open: set[asyncio.StreamWriter] = attrs.field(factory=set, init=False)
    _dead: set[asyncio.StreamWriter] = attrs.field(factory=set, init=False)
    _loop: asyncio.AbstractEventLoop = attrs.field(factory=asyncio.new_event_loop, init=False)

    def cut(self) -> None:
        """Break all connections there are."""
        self._loop.call_soon_threadsafe(self._abort)

    def silence(self) -> None:
        """Let nothing pass any more on the connections there are; who waits for them waits for ever."""
        self._dead.update(self._open)

    def run(self, ready: threading.Event) -> None:
        """Serve until `close`; in a thread of its own."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_unix_server(self._serve, str(self.path)))
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def close(self) -> None:
        """End `run`."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, here_in: asyncio.StreamReader, here_out: asyncio.StreamWriter) -> None:
        self._open.add(here_out)
        there_out = None
        try:
            there_in, there_out = await asyncio.open_unix_connection(self.target)
            self._open.add(there_out)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(here_in, there_out))
                group.create_task(self._pass(there_in, here_out))
        except* (_Ended, OSError):
            pass
        finally:
            for writer in (here_out, there_out):
                if writer is not None:
                    self._open.discard(writer)
                    writer.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(_CHUNK_BYTES):
            if self.silent or sink in self._dead:
                continue
            lost = self._chance.random() < self.loss
            if self.delay_s or lost:
                await asyncio.sleep(self.delay_s + (_RESEND_S if lost else 0.0))
            sink.write(chunk)
        raise _Ended


@contextmanager
def wire_to(target: str, folder: Path) -> Iterator[Wire]:
    """Yields: a way to that socket, open until the context is left."""
    wire, ready = Wire(folder / "wire", target), threading.Event()
    thread = threading.Thread(target=wire.run, args=(ready,), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield wire
    finally:
        wire.close()
        thread.join(10)
