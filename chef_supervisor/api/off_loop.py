"""Work on what callers sent: small pieces at once, large ones in a thread, so that the event loop never stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
# A larger body takes milliseconds to read, which the event loop must not stand still for.
_MAX_BYTES_ON_LOOP: Final = 64 * 1024


async def off_loop(size_bytes: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns: what `work` does. `size_bytes`: of what it works on."""
    if size_bytes <= _MAX_BYTES_ON_LOOP:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
