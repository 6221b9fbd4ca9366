"""streaq by itself."""

from __future__ import annotations

import asyncio

from streaq import Worker  # type: ignore[import-not-found]

from scripts.bench.peers import pace


async def measure(jobs: int, concurrency: int, callers: int) -> tuple[float, float]:
    worker = Worker(redis_url=f"redis://127.0.0.1:{pace.PORT}", concurrency=concurrency, queue_name="bench")
    countdown = pace.Countdown(jobs)

    @worker.task()  # type: ignore[untyped-decorator]
    async def build(**_data: object) -> None:
        countdown.one_done()

    async with worker:
        added_s = await pace.took_s(pace.add_from(callers, jobs, lambda _: build.enqueue(**pace.DATA)))
    working = asyncio.ensure_future(worker.run_async())
    processed_s = await pace.took_s(countdown.over.wait())
    working.cancel()
    return added_s, processed_s


pace.run(measure)
