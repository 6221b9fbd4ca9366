"""Runs one actor alone under the real kernel, with the addresses it talks to read by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from chef_supervisor.kernel import Actor, ChildSpec, Ref, Restart, SupervisorSpec, run_tree

_LOOK_S = 0.01


@asynccontextmanager
async def alone(ref: Ref[Any], build: Callable[[], Actor[Any]], *others: ChildSpec) -> AsyncIterator[None]:
    """Start the others, then the actor at that address; stop them in order when the context is left."""
    stop = asyncio.Event()
    spec = SupervisorSpec("test", (*others, ChildSpec(ref, build, restart=Restart.TEMPORARY, shutdown_s=20.0)))
    async with asyncio.TaskGroup() as group:
        group.create_task(run_tree(spec, stop))
        try:
            yield
        finally:
            stop.set()


async def until(holds: Callable[[], bool], within_s: float = 100.0) -> None:
    """Let virtual time pass until something holds; an error where it does not come to hold."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - the time is virtual
            await asyncio.sleep(_LOOK_S)
