"""Work of an actor that may fail without it: one piece among many, none of which may cost the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chef_supervisor.kernel.messages import Crashed

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


async def attempt(work: Awaitable[T]) -> T | Crashed:
    """
    Returns: what `work` returned, or how it crashed: then whoever asked tells the log, as a supervisor would. It must
        leave nothing behind that others read, since nobody starts them anew. A cancellation goes on as ever.
    """
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - that is what it is for
        return Crashed(error)
