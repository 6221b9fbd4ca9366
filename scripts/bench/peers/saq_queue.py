"""saq by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from saq import Queue, Worker  # type: ignore[import-not-found]

from scripts.bench.peers import pace


async def measure(jobs: int, concurrency: int, callers: int) -> tuple[float, float]:
    queue = Queue.from_url(f"redis://127.0.0.1:{pace.PORT}", name="bench")
    await queue.connect()
    countdown = pace.Countdown(jobs)

    async def build(_context: object, **_data: object) -> None:
        pass

    async def after(_context: Any) -> None:
        countdown.one_done()

    added_s = await pace.took_s(pace.add_from(callers, jobs, lambda _: queue.enqueue("build", **pace.DATA)))
    worker = Worker(queue, [("build", build)], concurrency=concurrency, after_process=after)
    working = asyncio.ensure_future(worker.start())
    processed_s = await pace.took_s(countdown.over.wait())
    working.cancel()
    return added_s, processed_s


pace.run(measure)
