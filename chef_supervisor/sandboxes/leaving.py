"""
Cleaning up within bounds. Whoever is cancelled is in a hurry: a stopping service has 10 s to end its boxes, which all
parts of one job's cleanup share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


def in_a_hurry() -> bool:
    """Returns: whether the task that asks is cancelled and only cleans up."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def finish(wait: Callable[[], Awaitable[object]], *, timeout_s: float, hurry_s: float) -> bool:
    """
    Wait for the end of something that was begun; cancelled, before or meanwhile, for at most `hurry_s` more.

    `wait` may be called twice.

    Returns: whether it came to its end.
    """
    try:
        return await _within(hurry_s if in_a_hurry() else timeout_s, wait)
    except asyncio.CancelledError:
        # A task is cancelled once; what was begun for it is to end before it does.
        await _within(hurry_s, wait)
        raise


async def _within(timeout_s: float, wait: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await wait()
    except TimeoutError:
        return False
    return True
