"""
Receivers on the loopback interface: one that is well, and hosts that fail at random, each try in its own way.

How a try is answered follows from the seed, the host, the path that the job chose and the number of the try: never from
the order in which things happen.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs
import trustme

from tests.kit.delivery_record import Record
from tests.kit.illnesses import FAILING, TAKING, WELL, Illness
from tests.kit.raw_web import Received, read_request

DOMAIN: Final = "hooks.test"
HEALTHY: Final = "hook.default"
HEALTHY_PATH: Final = "/well"
# One job in so many has a receiver that takes nothing until `well` is there.
# Prime to the numbers of hosts, so that none has more of them than others.
INCURABLE_EVERY: Final = 19
_WELL_SHARE: Final = 0.4
_START_S: Final = 10.0


@attrs.define(eq=False)
class SickReceivers:
    """`port` is of all sick hosts, over TLS; `healthy_port` is of the one that is well. `well`: a file that cures all."""

    seed: int
    well: Path
    record: Record = attrs.field(factory=Record)
    port: int = 0
    healthy_port: int = 0
    _serving: dict[asyncio.Task[None], asyncio.StreamWriter] = attrs.field(factory=dict)

    def url(self, host: int, number: int) -> str:
        """Returns: where the job of that number is to be told of, at one of the sick hosts."""
        return f"https://sick-{host}.{DOMAIN}:{self.port}/told/{number}"

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext) -> AsyncIterator[None]:
        """Answer while the context lasts."""
        sick = await asyncio.start_server(self._serve_sick, "127.0.0.1", 0, ssl=tls)
        healthy = await asyncio.start_server(self._serve_healthy, "127.0.0.1", 0)
        self.port, self.healthy_port = (one.sockets[0].getsockname()[1] for one in (sick, healthy))
        try:
            yield
        finally:
            sick.close()
            healthy.close()
            for writer in self._serving.values():
                writer.transport.abort()
            if self._serving:
                await asyncio.wait(self._serving)

    async def _serve_healthy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, sick=False)

    async def _serve_sick(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, sick=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, sick: bool) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                while not writer.is_closing():
                    request = await read_request(reader)
                    await self._note(request, sick=sick).answering(writer)
                    await writer.drain()
        finally:
            writer.transport.abort()
            del self._serving[task]

    def _note(self, request: Received, *, sick: bool) -> Illness:
        at_s = time.time()
        receiver = f"callback.{request.headers['host'].partition(':')[0]}" if sick else HEALTHY
        if not request.target.startswith("/told/" if sick else HEALTHY_PATH):
            self.record.stray(f"{receiver}{request.target}")
            return WELL
        number = self.record.next_number(receiver, request.headers["webhook-id"])
        illness = self._illness(receiver, request.target, number) if sick else WELL
        self.record.note(request, receiver, at_s, illness.name, taken=illness.takes)
        return illness

    def _illness(self, receiver: str, target: str, number: int) -> Illness:
        if self.well.exists():
            return WELL
        chance = random.Random(f"{self.seed} {receiver} {target} {number}")
        if int(target.rpartition("/")[2]) % INCURABLE_EVERY == 0:
            return chance.choice(FAILING)
        return WELL if chance.random() < _WELL_SHARE else chance.choice([*FAILING, *TAKING])


@contextmanager
def sick_receivers(seed: int, folder: Path) -> Iterator[SickReceivers]:
    """
    Yields: all of them, in a thread of their own.

    In `folder` are then `authority.pem`, whom their callers must believe, and, once somebody makes it, `well`.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(f"*.{DOMAIN}").configure_cert(tls)
    made, ready = SickReceivers(seed, folder / "well"), threading.Event()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with made.listening(tls):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        assert ready.wait(_START_S)
        yield made
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(_START_S)
        loop.close()
