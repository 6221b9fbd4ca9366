"""A receiver of signed events on loopback, in a thread of its own: for tests whose service is another process."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs
import orjson
from standardwebhooks.webhooks import Webhook

from tests.kit.hook_kit import HOST, secret_of
from tests.kit.raw_web import Answering, RawWeb, Received, raw_web

_WITHIN_S: Final = 30.0


@attrs.frozen
class Event:
    """One request whose signature is right."""

    request: Received

    @property
    def event_id(self) -> str:
        """What is the same over all tries."""
        return self.request.headers["webhook-id"]

    @property
    def kind(self) -> str:
        """Such as `job.completed`."""
        return str(self._parsed["type"])

    @property
    def job_id(self) -> str:
        """Whose event it is."""
        return str(self._parsed["data"]["jobId"])

    @property
    def seq(self) -> int:
        """Its number among those of its job."""
        return int(self._parsed["data"]["seq"])

    @property
    def _parsed(self) -> Any:
        return orjson.loads(self.request.body)


@attrs.define(eq=False)
class Receiving:
    """`answering`: what is done with the next requests; a test may change it at any time."""

    answering: Answering
    web: RawWeb = attrs.field(init=False)
    _grown: threading.Condition = attrs.field(factory=threading.Condition)
    _events: list[Event] = attrs.field(factory=list)
    _unsigned: list[Exception] = attrs.field(factory=list)

    @property
    def url(self) -> str:
        """As an endpoint of the settings."""
        return f"http://127.0.0.1:{self.web.port}/hook"

    @property
    def events(self) -> list[Event]:
        """All that came so far, in order."""
        with self._grown:
            assert self._unsigned == []
            return list(self._events)

    def of(self, job_id: str) -> list[Event]:
        """Returns: what came of one job."""
        return [event for event in self.events if event.job_id == job_id]

    def wait_for(self, count: int, job_id: str) -> list[Event]:
        """Returns: the events of one job, once there are that many."""
        with self._grown:
            came = self._grown.wait_for(lambda: len(self.of(job_id)) >= count, _WITHIN_S)
        assert came, f"of {job_id} came only {self.of(job_id)}"
        return self.of(job_id)

    async def answer(self, writer: asyncio.StreamWriter) -> None:
        """Take note of the request before it is answered."""
        request = self.web.received[-1]
        with self._grown:
            try:
                host = request.headers["host"].partition(":")[0]
                Webhook(secret_of(host)).verify(request.body, dict(request.headers))
            except Exception as error:  # noqa: BLE001 - the test is told, not the service
                self._unsigned.append(error)
            self._events.append(Event(request))
            self._grown.notify_all()
        await self.answering(writer)


@contextmanager
def receiving(answering: Answering, tls: ssl.SSLContext | None = None) -> Iterator[Receiving]:
    """Listen on a free port of 127.0.0.1 while the context lasts."""
    made, listening, ended = Receiving(answering), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def listen() -> None:
        async with raw_web(made.answer, tls) as made.web:
            listening.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(listen()), daemon=True)
    thread.start()
    try:
        assert listening.wait(_WITHIN_S)
        yield made
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(_WITHIN_S)
        loop.close()


def callback_url(receiver: Receiving, host: str = HOST) -> str:
    """Returns: what a job names to have that receiver called back by that name."""
    return f"https://{host}:{receiver.web.port}/secret-path"
