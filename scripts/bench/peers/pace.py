"""What the programs of this folder share: jobs from many callers, and figures as one line of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import uvloop

DATA = {"chatId": "chat-123", "projectFiles": {"a.js": "x" * 200}}
PORT = int(os.environ["REDIS_PORT"])


async def add_from(callers: int, jobs: int, add: Callable[[int], Awaitable[object]]) -> None:
    """Each caller adds one job after the other, until all of them are added."""
    numbers = iter(range(jobs))

    async def call() -> None:
        for number in numbers:
            await add(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())


async def took_s(work: Awaitable[object]) -> float:
    """Returns: how long it took."""
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def run(measure: Callable[[int, int, int], Coroutine[Any, Any, tuple[float, float]]]) -> None:
    """Call it with jobs, concurrency and callers; it answers how long adding and processing took."""
    jobs, concurrency, callers = map(int, sys.argv[1:4])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        added_s, processed_s = runner.run(measure(jobs, concurrency, callers))
    sys.stdout.write(json.dumps({"added_per_s": jobs / added_s, "processed_per_s": jobs / processed_s}) + "\n")
    sys.stdout.flush()
    # What a worker left running is of no interest any more.
    os._exit(0)


class Countdown:
    """Set once so many jobs were processed."""

    def __init__(self, jobs: int) -> None:
        self._left = jobs
        self.over = asyncio.Event()

    def one_done(self) -> None:
        """Count one."""
        self._left -= 1
        if self._left == 0:
            self.over.set()
