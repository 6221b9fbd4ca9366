"""
Follows the logs of jobs over server-sent events, as browsers would, in a process of its own.

    python -m scripts.bench.log_readers HOST PORT JOB ...

Prints `reading` once something was printed by every job, and reads on until it is killed, or a log ends.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Final

_REQUEST: Final = "GET /api/jobs/{job}/logs HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n"
_CHUNK: Final = 1 << 16
_MOST_LINE: Final = 1 << 22
_OUTPUT: Final = b"event: output"


async def _read(host: str, port: int, job: str, begun: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection(host, port, limit=_MOST_LINE)
    writer.write(_REQUEST.format(job=job, host=host).encode())
    await reader.readuntil(_OUTPUT)
    begun.set()
    while await reader.read(_CHUNK):
        pass


async def _main(host: str, port: int, jobs: Sequence[str]) -> None:
    begun = [asyncio.Event() for _ in jobs]
    async with asyncio.TaskGroup() as group:
        for job, event in zip(jobs, begun, strict=True):
            group.create_task(_read(host, port, job, event))
        for event in begun:
            await event.wait()
        print("reading", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
