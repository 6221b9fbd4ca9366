"""`GET /api/events`: every change of a job's state as server-sent events."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Iterable
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.errors import TooManyReaders
from chef_supervisor.api.event_reader import EventReader
from chef_supervisor.api.event_stream import HEARTBEAT_S, OPENING, EventStream, headers_alone
from chef_supervisor.api.positions import read_cursor
from chef_supervisor.api.query import read_query
from chef_supervisor.api.subscription import Entry
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.domain.moment import rfc3339
from chef_supervisor.store.answers import JobEvent

_PLACE_TIMEOUT_S: Final = 0.8


class Events:
    """The endpoint. A follower resumes by `Last-Event-ID`, which browsers send by themselves, or by `?after=`."""

    def __init__(self, deps: ApiDependencies, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._deps = deps
        self._heartbeat_s = heartbeat_s
        self._limit = deps.settings.http.max_event_readers
        self._readers = 0

    async def follow(self, request: Request) -> Response:
        """Answer with the stream; HEAD with its headers alone."""
        query = read_query(request, {"after", "jobId"})
        job_id = self._deps.known_id(query["jobId"]) if "jobId" in query else None
        after = self._after(request, query.get("after", ""))
        await self._deps.feed.placed(_PLACE_TIMEOUT_S)
        if self._readers >= self._limit:
            raise TooManyReaders(self._limit)
        if request.method == "HEAD":
            return headers_alone()
        # Counted here and not in the stream: readers that come together must not all find the last place free.
        self._readers += 1
        return EventStream(self._stream(job_id, after), self._left)

    def _after(self, request: Request, parameter: str) -> dict[QueueName, str]:
        resumed = request.headers.get("last-event-id", "")
        if resumed:
            return read_cursor(resumed, self._deps.queues, "Last-Event-ID")
        return read_cursor(parameter, self._deps.queues, "after") if parameter else {}

    async def _stream(self, job_id: JobId | None, after: dict[QueueName, str]) -> AsyncGenerator[bytes, None]:
        with self._deps.feed.subscribe(job_id) as subscription:
            reader = EventReader(self._deps.store, self._deps.feed, subscription, after)
            yield OPENING
            try:
                async for entry in reader.replay():
                    yield _frame(entry, reader.cursor())
            except StoreUnavailable:
                # The follower comes back by itself and goes on from the last id it got.
                return
            while (entries := await reader.live(self._heartbeat_s)) is not None:
                yield _frames(entries, reader.cursor()) if entries else _heartbeat(reader.cursor())

    def _left(self) -> None:
        self._readers -= 1


def _heartbeat(cursor: str) -> bytes:
    # An id without data moves the position the browser would resume from, and dispatches nothing.
    return f": heartbeat\nid: {cursor}\n\n".encode()


def _frames(entries: Iterable[Entry], cursor: str) -> bytes:
    *earlier, last = entries
    # One id for what is sent as one piece: it is wholly there, or is asked for again.
    return b"".join([*map(_body, earlier), _frame(last, cursor)])


def _frame(entry: Entry, cursor: str) -> bytes:
    return f"id: {cursor}\n".encode() + _body(entry)


@functools.lru_cache(maxsize=64)
def _body(entry: Entry) -> bytes:
    """Returns: event name and data; made once for all followers."""
    if isinstance(entry, JobEvent):
        return _text(entry.kind, _view(entry))
    return _text("gap", {"queue": entry.queue, "position": entry.position})


def _text(name: str, content: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(content))


def _view(event: JobEvent) -> dict[str, object]:
    return {
        "jobId": event.job_id,
        "type": event.type,
        "status": event.status,
        "progress": event.progress,
        "queue": event.queue,
        "at": rfc3339(event.at_ms),
    }
