"""BullMQ's port to Python by itself."""

from __future__ import annotations

from collections.abc import Awaitable

from bullmq import Queue, Worker  # type: ignore[import-not-found]

from scripts.bench.peers import pace


async def measure(jobs: int, concurrency: int, callers: int) -> tuple[float, float]:
    connection = {"host": "127.0.0.1", "port": pace.PORT}
    options = {"removeOnComplete": {"count": 1000}}
    queue = Queue("bench", {"connection": connection, "defaultJobOptions": options})
    countdown = pace.Countdown(jobs)

    async def build(_job: object, _token: str) -> None:
        pass

    def add(number: int) -> Awaitable[object]:
        job: Awaitable[object] = queue.add("build", pace.DATA, {"priority": 1 + number % 10, **options})
        return job

    added_s = await pace.took_s(pace.add_from(callers, jobs, add))
    worker = Worker("bench", build, {"connection": connection, "concurrency": concurrency})
    worker.on("completed", lambda *_: countdown.one_done())
    processed_s = await pace.took_s(countdown.over.wait())
    return added_s, processed_s


pace.run(measure)
