"""What a job's steps print, while they do, over as many connections as it takes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, TypeAlias

import attrs

from chef_supervisor.client.calls import Calls, Patience, job_path
from chef_supervisor.client.errors import BadAnswer, ClientError, Refused, Unavailable, Unknown, Unreachable
from chef_supervisor.client.sse import EventParser, ServerEvent
from chef_supervisor.domain.job import JobStatus

_AGAIN: Final = frozenset({408, 429})


@attrs.frozen(kw_only=True)
class LogText:
    """The next text of a step. It is what a project printed: it may hold codes for terminals."""

    step: str
    text: str


@attrs.frozen
class LogGap:
    """Some of the text is not here: it came faster than it is kept or told."""


@attrs.frozen
class LogEnd:
    """The job is over; nothing follows."""

    status: JobStatus | str


LogEvent: TypeAlias = LogText | LogGap | LogEnd


async def follow(calls: Calls, job_id: str) -> AsyncGenerator[LogEvent, None]:
    """
    Yields: text and gaps from the job's beginning on, and its end as the last.

    Raises:
        Refused, Unknown: as every call; not for a connection that breaks, as long as the next one works.
    """
    patience, last_id = Patience(calls), ""
    while True:
        trouble: ClientError = Unreachable(calls.url, "the stream ended before the job did")
        parser = EventParser(last_id)
        try:
            async with aclosing(_once(calls, job_id, parser)) as events:
                async for event in events:
                    patience.reset()
                    yield event
                    if isinstance(event, LogEnd):
                        return
        except (Unknown, Refused) as error:
            if not _passes(error):
                raise
            trouble = error
        last_id = parser.last_id
        await patience.bear(trouble)


async def _once(calls: Calls, job_id: str, parser: EventParser) -> AsyncGenerator[LogEvent, None]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": parser.last_id} if parser.last_id else {})
    path = job_path(job_id, "logs")
    async with calls.stream(path, headers) as response:
        async for chunk in response.aiter_bytes():
            for told in parser.feed(chunk):
                event = _event(told, path)
                if event is not None:
                    yield event


def _passes(error: Unknown | Refused) -> bool:
    return isinstance(error, (Unavailable, Unreachable)) or (isinstance(error, Refused) and error.status in _AGAIN)


def _event(told: ServerEvent, path: str) -> LogEvent | None:
    match told.name:
        case "output":
            said = _data(told, path)
            return LogText(step=str(said.get("step", "")), text=str(said.get("text", "")))
        case "gap":
            return LogGap()
        case "end":
            status = str(_data(told, path).get("status", ""))
            return LogEnd(JobStatus(status) if status in set(JobStatus) else status)
        case _:
            return None


def _data(told: ServerEvent, path: str) -> dict[str, Any]:
    try:
        said = json.loads(told.data)
    except ValueError as error:
        raise BadAnswer(path, f"an event {told.name!r} without JSON") from error
    if not isinstance(said, dict):
        raise BadAnswer(path, f"an event {told.name!r} of another shape")
    return said
