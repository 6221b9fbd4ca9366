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
    # Not asyncio.timeout: before Python 3.11.3 it takes its own end for the cancellation of a task that is cancelled.
    waiting = asyncio.ensure_future(wait())
    try:
        ended, _ = await asyncio.wait({waiting}, timeout=timeout_s)
    finally:
        if not waiting.done():
            waiting.cancel()
            # Whoever waits anew must not find the one before still at it.
            await asyncio.wait({waiting})
    if ended:
        waiting.result()
    return bool(ended)
