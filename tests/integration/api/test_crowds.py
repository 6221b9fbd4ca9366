"""Many connections that ask for nothing: most are cut off, so that descriptors are left for Redis and the jobs."""

from __future__ import annotations

import asyncio
import resource
from contextlib import AsyncExitStack

import pytest

from chef_supervisor.api import server
from tests.integration.api.server_kit import PATIENCE_S, serving


@pytest.mark.asyncio
async def test_of_many_silent_connections_only_a_few_beyond_the_limit_are_kept() -> None:
    async with serving(max_connections=4) as served, AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(served.connection()) for _ in range(20)]

        async with asyncio.timeout(PATIENCE_S):
            ended = [await hears_the_end(reader) for reader, _ in crowd[6:]]

        assert ended == [True] * 14
        assert not any(reader.at_eof() for reader, _ in crowd[:6])


async def hears_the_end(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    ("open_files", "connections"),
    [(resource.RLIM_INFINITY, 800), (1_048_576, 800), (1024, 800), (512, 292), (400, 200), (64, 16), (16, 1)],
)
def test_there_are_as_many_connections_as_leave_descriptors_for_all_else(
    monkeypatch: pytest.MonkeyPatch, open_files: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (open_files, open_files))

    assert server.affordable_connections() == connections
