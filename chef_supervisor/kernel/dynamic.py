"""A supervisor of temporary children that come and go while the tree runs. Source: Elixir `DynamicSupervisor`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from chef_supervisor.kernel.errors import AlreadyStarted, Refusal, StartFailed
from chef_supervisor.kernel.guardian import Guardian, escalate_stuck, start_failed
from chef_supervisor.kernel.messages import Down, Exited, Reason, Stop, Stopped
from chef_supervisor.kernel.spec import Children, StartChild, StartChildren

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chef_supervisor.kernel.cell import Cell
    from chef_supervisor.kernel.ref import Ref
    from chef_supervisor.kernel.spec import ChildSpec, DynamicSpec


class DynamicSupervisor(Guardian[StartChild | StartChildren | Children | Exited]):
    """Starts what it is asked to, one ask after the other; restarts nothing; takes its children along when it ends."""

    level = logging.DEBUG

    def __init__(self, spec: DynamicSpec) -> None:
        self._spec = spec
        # In the order of their start.
        self._cells: dict[Cell, None] = {}

    async def receive(
        self, message: StartChild | StartChildren | Children | Exited | Down
    ) -> tuple[Ref[Any], ...] | tuple[Refusal | None, ...] | None:
        """
        Start children, tell who lives, or forget a child that ended.

        Raises:
            AlreadyStarted: the address is in use; whoever lives there is left alone.
            StartFailed: the child did not come up, or there is no place for it; its address is closed.
            ChildStuck: a child outlived its cancellation.
        """
        match message:
            case StartChild(spec):
                [refusal] = await self._start((spec,))
                if refusal is not None:
                    raise refusal
            case StartChildren(specs):
                return await self._start(specs)
            case Exited(cell) if cell in self._cells:
                escalate_stuck([await self._forget(cell)])
            # Not ours any more: it failed to start, or a former incarnation of this supervisor had it.
            case Exited() | Down():
                pass
            case Children():
                return tuple(cell.spec.ref for cell in self._cells)
        return None

    async def on_exit(self) -> None:
        """Stop all children at once, under one timer; one that outlives it raises ChildStuck."""
        for cell in self._cells:
            cell.stop(Stop(Stopped(), for_good=True), self._spec.shutdown_s)
        escalate_stuck([await self._forget(cell) for cell in tuple(self._cells)])

    async def _start(self, specs: Sequence[ChildSpec]) -> tuple[Refusal | None, ...]:
        begun = [self._begin(spec) for spec in specs]
        return tuple([one if isinstance(one, Refusal) else await self._come_up(one) for one in begun])

    def _begin(self, spec: ChildSpec) -> Cell | Refusal:
        try:
            self._check_place(spec)
        except Refusal as refusal:
            return refusal
        cell = self.begin(spec)
        self._cells[cell] = None
        return cell

    async def _come_up(self, cell: Cell) -> Refusal | None:
        started = await cell.started(unless=self.ctx.stopping)
        if self.ctx.stopping.done():
            # Up or not, it is stopped with the others in on_exit.
            return StartFailed(cell.spec.ref.name, f"{self.ctx.path} is stopping")
        if not started:
            reason = await self._forget(cell)
            escalate_stuck([reason])
            return start_failed(cell.spec.ref.name, reason)
        self.report_start(cell)
        return None

    def _check_place(self, spec: ChildSpec) -> None:
        # First, for the next refusal closes an address, and this one's has somebody who lives there.
        if spec.ref.running:
            raise AlreadyStarted(spec.ref.name)
        if len(self._cells) == self._spec.max_children:
            spec.ref.close()
            raise StartFailed(spec.ref.name, f"{self.ctx.path} has {self._spec.max_children} children, its limit")

    async def _forget(self, cell: Cell) -> Reason:
        reason = await self.bury(cell)
        del self._cells[cell]
        cell.spec.ref.close()
        return reason
