"""Names to addresses, anew for every try."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import threading
from collections.abc import Sequence
from typing import Final, Protocol

import attrs

# Of all receivers together. A thread whose receiver was closed stays for as long as its name server is silent.
MOST_THREADS: Final = 256
_threads: Final = threading.BoundedSemaphore(MOST_THREADS)


class Resolver(Protocol):
    """Whoever knows the addresses of hosts."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """
        Returns: all addresses, those to be tried first in front.

        Raises:
            socket.gaierror: nobody knows it, or nobody answered.
        """

    def close(self) -> None:
        """Let go of what it holds; what is being asked is not waited for."""


@attrs.frozen
class _Question:
    host: str
    port: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Sequence[str]]

    def settle(self) -> None:
        """Ask, and tell whoever waits."""
        # Who gave up by now needs no answer.
        if self.answer.done():
            return
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self._tell([], error if isinstance(error, socket.gaierror) else socket.gaierror(socket.EAI_NONAME, ""))
        else:
            self._tell([str(address[0]) for *_, address in found], None)

    def _tell(self, found: Sequence[str], error: socket.gaierror | None) -> None:
        def told() -> None:
            if self.answer.done():
                return
            if error is None:
                self.answer.set_result(found)
            else:
                self.answer.set_exception(error)

        # The loop may be gone.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(told)


class SystemResolver:
    """
    The system's own resolver. One for each receiver.

    It blocks, for as long as a name server is silent, and cannot be stopped. In one thread of its own a receiver whose
    name servers are silent holds up itself alone, and not the end of the process; who waits behind gives up by its own
    deadline.
    """

    def __init__(self) -> None:
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._asks, self._closed = False, False

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Returns: as the system's settings order them (RFC 6724)."""
        if self._closed:
            raise socket.gaierror(socket.EAI_AGAIN, "closed")
        if not self._asks:
            _start(self._questions)
            self._asks = True
        loop = asyncio.get_running_loop()
        question = _Question(host, port, loop, loop.create_future())
        self._questions.put(question)
        return await question.answer

    def close(self) -> None:
        """End the thread as soon as it is done."""
        self._closed = True
        self._questions.put(None)


def _start(questions: queue.SimpleQueue[_Question | None]) -> None:
    if not _threads.acquire(blocking=False):
        raise socket.gaierror(socket.EAI_AGAIN, "too many names are being asked for")
    # Python waits for all other threads, those of executors too, before it ends.
    threading.Thread(target=_settle_all, args=(questions,), name="chef-resolver", daemon=True).start()


def _settle_all(questions: queue.SimpleQueue[_Question | None]) -> None:
    try:
        while (question := questions.get()) is not None:
            question.settle()
    finally:
        _threads.release()
