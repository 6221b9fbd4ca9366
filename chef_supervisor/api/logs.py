"""`GET /api/jobs/:id/logs`: what a job's steps printed so far, as a text, or followed as server-sent events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.errors import TooManyReaders
from chef_supervisor.api.event_stream import HEARTBEAT_S, MEDIA_TYPE, OPENING, EventStream, headers_alone
from chef_supervisor.api.log_follower import LogFollower
from chef_supervisor.api.log_lines import LogEntry, LogLines
from chef_supervisor.api.log_text import LogView, frame_of, text_of
from chef_supervisor.api.off_loop import off_loop
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.domain.errors import StoreUnavailable, UnknownJob, Unprocessable
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.job_log import LogPiece, LogPosition

# As the text differs by what the caller accepts, and by nothing that a cache could know.
_TEXT_HEADERS: Final = {"Vary": "Accept", "Cache-Control": "no-store"}
_POSITION: Final = re.compile(r"([0-9]{1,9})-([0-9]{1,15})")
_FLAGS: Final = {"0": False, "1": True}
_LIVE_BYTES_PER_S: Final = 65_536
_PIECES_AT_ONCE: Final = 512


class Logs:
    """The endpoint. A follower resumes by `Last-Event-ID`, which browsers send by themselves, or by `?after=`."""

    def __init__(self, deps: ApiDependencies, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._deps = deps
        self._heartbeat_s = heartbeat_s
        self._limit = deps.settings.http.max_event_readers
        self._readers = 0

    async def read(self, request: Request) -> Response:
        """Answer with a text, or with a stream where the caller accepts one."""
        query = read_query(request, {"ansi", "step", "after"})
        job_id = self._deps.known_id(request.path_params["job_id"])
        view = LogView(ansi=_flag(query.get("ansi", "0")), step=query.get("step"))
        after = _after(request, query.get("after", ""))
        async with promptly(self._deps.read_timeout_s):
            await self._deps.store.read(job_id)
        if MEDIA_TYPE in request.headers.get("accept", ""):
            return self._followed(request, job_id, after, view)
        return await self._text(job_id, after, view)

    async def _text(self, job_id: JobId, after: LogPosition, view: LogView) -> Response:
        pieces: list[LogPiece] = []
        begun = after
        async with promptly(self._deps.read_timeout_s) as deadline:
            while more := await self._deps.store.read_log(job_id, after, _PIECES_AT_ONCE):
                pieces += more
                after = LogPosition(more[-1].run, more[-1].end)
                deadline.allow_for(sum(len(piece.content) for piece in more))
        size = sum(len(piece.content) for piece in pieces)
        text = await off_loop(size, lambda: text_of(_entries(begun, pieces), view))
        return PlainTextResponse(text, headers=_TEXT_HEADERS)

    def _followed(self, request: Request, job_id: JobId, after: LogPosition, view: LogView) -> Response:
        if self._readers >= self._limit:
            raise TooManyReaders(self._limit)
        if request.method == "HEAD":
            return headers_alone()
        # Counted here and not in the stream: readers that come together must not all find the last place free.
        self._readers += 1
        return EventStream(self._stream(job_id, after, view), self._left)

    async def _stream(self, job_id: JobId, after: LogPosition, view: LogView) -> AsyncGenerator[bytes, None]:
        yield OPENING
        pace = _Pace(_LIVE_BYTES_PER_S)
        with self._deps.feed.subscribe(job_id) as subscription:
            follower = LogFollower(self._deps.store, subscription, job_id, after, self._heartbeat_s)
            try:
                async with aclosing(follower.follow()) as entries:
                    async for entry in entries:
                        frame = frame_of(entry, follower.position, view)
                        yield frame
                        if follower.live:
                            await pace.spend(len(frame))
            except (StoreUnavailable, UnknownJob):
                # The follower comes back by itself and goes on from the last id it got.
                return

    def _left(self) -> None:
        self._readers -= 1


class _Pace:
    """Lets a reader of a running job have so many bytes a second, and a quarter of it at once."""

    def __init__(self, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at = float("-inf")

    async def spend(self, count: int) -> None:
        """Return when the next may come."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now - 0.25) + count / self._bytes_per_s
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


def _entries(after: LogPosition, pieces: list[LogPiece]) -> list[LogEntry]:
    lines = LogLines(after)
    return [entry for piece in pieces for entry in lines.feed(piece)] + list(lines.flush())


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise Unprocessable("invalid_parameter", "ansi", "must be 0 or 1")
    return _FLAGS[text]


def _after(request: Request, parameter: str) -> LogPosition:
    resumed = request.headers.get("last-event-id", "")
    text, field = (resumed, "Last-Event-ID") if resumed else (parameter, "after")
    if not text:
        return LogPosition()
    match = _POSITION.fullmatch(text)
    if match is None:
        raise Unprocessable("invalid_parameter", field, f"{text[:50]!r} is no position: one is such as 1-4096")
    return LogPosition(run=int(match[1]), at=int(match[2]))
