"""Names to addresses, anew for every try."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol


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


class SystemResolver:
    """
    The system's own resolver. One for each receiver.

    It blocks, for as long as a name server is silent, and cannot be stopped. In one thread of its own a receiver whose
    name servers are silent holds up itself alone; who waits behind gives up by its own deadline.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "chef-resolver")

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Returns: as the system's settings order them (RFC 6724)."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _addresses, host, port)

    def close(self) -> None:
        """End the thread as soon as it is done."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
