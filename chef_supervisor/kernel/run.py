"""The root: runs a tree from its first start to its last stop."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from chef_supervisor.kernel.cell import Cell
from chef_supervisor.kernel.messages import Crashed, Reason, Stop, Stopped
from chef_supervisor.kernel.spec import ChildSpec, SupervisorSpec, close
from chef_supervisor.kernel.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable


async def run_tree(spec: SupervisorSpec, stop: asyncio.Event) -> None:
    """
    Run `spec` until `stop` is set, then return after an ordered stop. Cancelling this stops the tree just so.

    No task of the tree is left when this returns or raises, except what ChildStuck names; all addresses are closed.

    Raises:
        AlreadyStarted: this tree is running.
        StartFailed: a first start failed.
        RestartsExhausted: the root's restarts are spent.
        ChildStuck: end the process; a child outlived its cancellation.
    """
    root = Cell(ChildSpec(spec.ref, lambda: Supervisor(spec), shutdown_s=math.inf), spec.name, on_end=lambda _: None)

    def stop_root() -> None:
        root.stop(Stop(Stopped(), for_good=True), math.inf)

    if stop.is_set():
        stop_root()
    async with asyncio.TaskGroup() as group:
        relay = group.create_task(stop.wait(), name=f"{spec.name}:stop")
        relay.add_done_callback(lambda _: stop_root())
        reason, cancelled = await _outlive(root, stop_root)
        close(spec)
        relay.cancel()
    if isinstance(reason, Crashed):
        raise reason.error
    if cancelled is not None:
        raise cancelled


async def _outlive(root: Cell, stop_root: Callable[[], None]) -> tuple[Reason, asyncio.CancelledError | None]:
    cancelled = None
    while True:
        try:
            return await root.ended(), cancelled
        except asyncio.CancelledError as error:
            # To leave now would orphan the tree. Its own deadlines bound the wait; the caller is obeyed after it.
            cancelled = error
            stop_root()
