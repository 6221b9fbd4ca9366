"""arq by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from arq.connections import RedisSettings, create_pool  # type: ignore[import-not-found]
from arq.worker import Worker, func  # type: ignore[import-not-found]

from scripts.bench.peers import pace


async def measure(jobs: int, concurrency: int, callers: int) -> tuple[float, float]:
    settings = RedisSettings(host="127.0.0.1", port=pace.PORT)
    pool = await create_pool(settings)
    countdown = pace.Countdown(jobs)

    async def build(_context: object, **_data: object) -> None:
        pass

    async def after(_context: Any) -> None:
        countdown.one_done()

    added_s = await pace.took_s(pace.add_from(callers, jobs, lambda _: pool.enqueue_job("build", **pace.DATA)))
    # It looks every half second by default, and takes five times what it runs at once; a busy one looks more often.
    worker = Worker(
        [func(build, name="build")],
        redis_settings=settings,
        max_jobs=concurrency,
        poll_delay=0.01,
        after_job_end=after,
        handle_signals=False,
    )
    working = asyncio.ensure_future(worker.async_run())
    processed_s = await pace.took_s(countdown.over.wait())
    working.cancel()
    return added_s, processed_s


pace.run(measure)
