"""Pipes that are waited for, closed under a waiter, or ended by the other side; on both loops."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import pytest
import uvloop

from chef_supervisor.sandboxes.bubblewrap.descriptor import Descriptor

Test: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


@pytest.fixture(params=[None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def in_loop(request: pytest.FixtureRequest) -> Callable[[Test], None]:
    def run(test: Test) -> None:
        with asyncio.Runner(loop_factory=request.param, debug=True) as runner:
            runner.run(test())

    return run


def pipe() -> tuple[Descriptor, Descriptor]:
    source, sink = os.pipe()
    return Descriptor(os.fdopen(source, "rb", buffering=0)), Descriptor(os.fdopen(sink, "wb", buffering=0))


def test_more_than_a_pipe_holds_goes_through(in_loop: Callable[[Test], None]) -> None:
    content = os.urandom(1 << 20)

    async def send() -> None:
        source, sink = pipe()
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(sink.write(content))
            writing.add_done_callback(lambda _: sink.close())
            read = bytearray()
            while chunk := await source.read(1 << 16):
                read += chunk
        source.close()
        assert read == content

    in_loop(send)


def test_who_waits_is_told_when_it_is_closed(in_loop: Callable[[Test], None]) -> None:
    async def close() -> None:
        source, sink = pipe()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(source.read(1))
            await asyncio.sleep(0)
            source.close()
        assert reading.result() == b""
        assert await source.read(1) == b""
        sink.close()
        sink.close()
        with pytest.raises(BrokenPipeError):
            await sink.write(b"x")

    in_loop(close)


def test_its_number_is_free_for_others_once_it_is_closed(in_loop: Callable[[Test], None]) -> None:
    async def reuse() -> None:
        source, sink = pipe()
        reading = asyncio.ensure_future(source.read(1))
        await asyncio.sleep(0)
        source.close()
        # Takes the lowest number that is free, while the first reader has not gone yet.
        again, to_again = pipe()
        reading_again = asyncio.ensure_future(again.read(1))
        await asyncio.sleep(0.01)
        await to_again.write(b"x")
        assert await reading_again == b"x"
        assert await reading == b""
        for held in (sink, again, to_again):
            held.close()

    in_loop(reuse)


def test_a_cancelled_waiter_leaves_it_to_the_next(in_loop: Callable[[Test], None]) -> None:
    async def cancel() -> None:
        source, sink = pipe()
        reading = asyncio.ensure_future(source.read(1))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        await sink.write(b"x")
        assert await source.read(1) == b"x"
        source.close()
        sink.close()

    in_loop(cancel)


def test_writing_to_nobody_fails(in_loop: Callable[[Test], None]) -> None:
    async def write() -> None:
        source, sink = pipe()
        source.close()
        with pytest.raises(BrokenPipeError):
            await sink.write(b"x")
        sink.close()

    in_loop(write)


def test_the_end_of_a_process_is_seen(in_loop: Callable[[Test], None]) -> None:
    async def end() -> None:
        process = subprocess.Popen(("sleep", "0.05"))  # noqa: ASYNC220
        ended = Descriptor.of_process(process.pid)
        assert await ended.readable()
        assert process.wait() == 0
        ended.close()

    in_loop(end)
