"""The API on a real socket: a server on a free port, raw connections to it, and its stream of events read as events."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
from starlette.types import ASGIApp

from chef_supervisor.api import ApiDependencies, Server, make_app
from chef_supervisor.artifacts.store import ArtifactStore
from tests.kit.fake_store import FakeStore
from tests.unit.api.api_kit import Api, make_settings

# Nothing takes so long; it only keeps a failing test from hanging.
PATIENCE_S = 10.0


@attrs.frozen(kw_only=True, eq=False)
class Serving:
    """A running server. `finished` is the task that runs it."""

    api: Api
    server: Server
    client: httpx.AsyncClient
    finished: asyncio.Task[None]

    async def raw(self, request: bytes, *, end: bool = False) -> bytes:
        """Send these bytes on a connection of their own. Returns: everything that comes until the server closes."""
        async with self.connection() as (reader, writer):
            writer.write(request)
            if end:
                writer.write_eof()
            async with asyncio.timeout(PATIENCE_S):
                return await reader.read()

    async def readers(self, count: int) -> None:
        """Wait until so many follow the feed; the server turns meanwhile."""
        async with asyncio.timeout(PATIENCE_S):
            while self.api.feed.readers != count:
                await self.client.get("/api/health/live")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            yield reader, writer
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    *,
    app_of: Callable[[ApiDependencies], ASGIApp] = make_app,
    store: FakeStore | None = None,
    artifacts: ArtifactStore | None = None,
    max_connections: int = 100,
    **http: Any,
) -> AsyncIterator[Serving]:
    """Run a server with the feed beside it, as the tree does."""
    api = Api(settings=make_settings(**http), store=store or FakeStore(), artifacts=artifacts)
    server = Server(app_of(api.deps), api.settings.http, on_stop=api.feed.end_all, max_connections=max_connections)
    async with asyncio.TaskGroup() as group:
        feed = group.create_task(api.feed.run())
        running = group.create_task(server.run())
        await server.ready.wait()
        await api.feed.placed(PATIENCE_S)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE_S) as client:
            yield Serving(api=api, server=server, client=client, finished=running)
        await server.stop(1.0)
        feed.cancel()
    server.close()


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Returns: what the server complained of; asyncio complains of a slow machine."""
    return [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith(("chef", "uvicorn"))
    ]


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def code_of(answer: bytes) -> str:
    """Returns: the code of the one problem in an answer."""
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["code"])


@attrs.frozen
class Sent:
    """One server-sent event."""

    name: str
    cursor: str
    content: dict[str, Any]


async def events_of(response: httpx.Response) -> AsyncIterator[Sent]:
    """Yield the events of a stream, as a browser would dispatch them."""
    name, cursor, content = "", "", ""
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        match field:
            case "event":
                name = value
            case "id":
                cursor = value
            case "data":
                content = value
            case "" if content:
                yield Sent(name, cursor, json.loads(content))
                content = ""


async def some(events: AsyncIterator[Sent], count: int) -> list[Sent]:
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(events) for _ in range(count)]
