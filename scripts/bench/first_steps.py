"""
The service, as `python -m chef_supervisor`, whose `null` sandbox notes when the first step of each job begins.

Nothing that the service tells is as exact: events and logs come later, and stamps of jobs are whole milliseconds. The
clock is the machine's monotonic one, which all processes share.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from typing import Final

from chef_supervisor.__main__ import main
from chef_supervisor.domain.work import BoxEvent, Work
from chef_supervisor.sandboxes.null import NullBox

# The file that gets a line of nanoseconds for each job.
NOTES: Final = "BENCH_FIRST_STEPS"


_run = NullBox.run


async def _noting(box: NullBox, work: Work) -> AsyncIterator[BoxEvent]:
    os.write(_notes, b"%d\n" % time.monotonic_ns())
    async for event in _run(box, work):
        yield event


if __name__ == "__main__":
    _notes = os.open(os.environ[NOTES], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    NullBox.run = _noting  # type: ignore[assignment,method-assign]
    main()
