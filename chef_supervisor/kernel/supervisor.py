"""A supervisor of children known in advance. Source: OTP `supervisor`, whose semantics these are."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

import attrs

from chef_supervisor.kernel.budget import Budget
from chef_supervisor.kernel.dynamic import DynamicSupervisor
from chef_supervisor.kernel.errors import RestartsExhausted
from chef_supervisor.kernel.guardian import Guardian, cause, escalate_stuck, start_failed
from chef_supervisor.kernel.messages import Down, Exited, Reason, Stop, Stopped
from chef_supervisor.kernel.spec import AnySpec, ChildSpec, DynamicSpec, Restart, Strategy, SupervisorSpec, close

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chef_supervisor.kernel.cell import Cell


@attrs.define(eq=False)
class _Child:
    spec: AnySpec
    # None: not started yet, or ended and seen to. An Exited of any other cell is stale.
    cell: Cell | None = None


class Supervisor(Guardian[Exited]):
    """
    Starts children in order, stops them in reverse, and restarts by its strategy while its budget lasts.

    Raises (from its methods, as its own end):
        StartFailed: a child's first start failed; those before it have been stopped.
        RestartsExhausted: the budget is spent; all children have been stopped.
        ChildStuck: a child outlived its cancellation; all others have been stopped.
    """

    level = logging.INFO

    def __init__(self, spec: SupervisorSpec) -> None:
        self._spec = spec
        self._children = [_Child(child) for child in spec.children]
        self._budget = Budget(spec.max_restarts, spec.period_s)

    async def on_start(self) -> None:
        """Start all children, each after the one before it is ready. A stop gets in between."""
        failed = await self._start(self._children)
        if failed is not None:
            reason = await self._bury(failed)
            escalate_stuck([reason])
            raise start_failed(failed.spec.ref.name, reason)

    async def receive(self, message: Exited | Down) -> None:
        """See to a child that ended. What an older incarnation left behind is ignored."""
        if isinstance(message, Exited):
            for child in self._children:
                if child.cell is message.cell:
                    return await self._exited(child)
        return None

    async def on_exit(self) -> None:
        """Stop all children in reverse. Their addresses stay open unless this supervisor is stopped for good."""
        stopping = self.ctx.stopping
        await self._stop(self._children, for_good=stopping.done() and stopping.result().for_good)

    async def _exited(self, child: _Child) -> None:
        reason = await self._bury(child)
        escalate_stuck([reason])
        if child.spec.restart.wanted_after(reason):
            await self._restart(child, reason)
        else:
            self._drop(child)

    async def _restart(self, child: _Child, reason: Reason) -> None:
        if not self._budget.spend(asyncio.get_running_loop().time()):
            raise RestartsExhausted(self._spec.name, self._spec.max_restarts, self._spec.period_s) from cause(reason)
        group = self._group(child)
        if len(group) > 1:
            await self._stop(group, for_good=False)
            for sibling in group:
                if sibling.spec.restart is Restart.TEMPORARY:
                    self._drop(sibling)
        # A failure is not looked at here: it is in the mailbox as an Exited, where a stop can get in before it, and
        # the siblings after it wait for that restart.
        await self._start([sibling for sibling in group if sibling in self._children])

    def _group(self, child: _Child) -> list[_Child]:
        match self._spec.strategy:
            case Strategy.ONE_FOR_ONE:
                return [child]
            case Strategy.REST_FOR_ONE:
                return self._children[self._children.index(child) :]
            case Strategy.ONE_FOR_ALL:
                return list(self._children)

    async def _start(self, children: Sequence[_Child]) -> _Child | None:
        """Returns: the child that failed, where the start of the others ended; None also when a stop ended it."""
        for child in children:
            if self.ctx.stopping.done():
                return None
            child.cell = self.begin(_as_child(child.spec))
            if not await child.cell.started(unless=self.ctx.stopping):
                return None if self.ctx.stopping.done() else child
            self.report_start(child.cell)
        return None

    async def _stop(self, children: Sequence[_Child], *, for_good: bool) -> None:
        reasons = []
        for child in reversed(children):
            if child.cell is not None:
                child.cell.stop(Stop(Stopped(), for_good), child.cell.spec.shutdown_s)
                reasons.append(await self._bury(child))
            if for_good:
                close(child.spec)
        # After the last one's end, for on_stop may tell siblings; before the first one's start, for so may on_start.
        for child in children:
            child.spec.ref.mailbox.flush()
        escalate_stuck(reasons)

    async def _bury(self, child: _Child) -> Reason:
        cell, child.cell = child.cell, None
        assert cell is not None  # noqa: S101
        return await self.bury(cell)

    def _drop(self, child: _Child) -> None:
        """Nobody restarts it alone. A transient one stays in its place, for a group restart starts it again."""
        close(child.spec)
        if child.spec.restart is Restart.TEMPORARY:
            self._children.remove(child)


def _as_child(spec: AnySpec) -> ChildSpec:
    # Supervisors have no deadline: cancelling one twice would orphan its children, and theirs bound it anyway.
    match spec:
        case ChildSpec():
            return spec
        case DynamicSpec():
            return ChildSpec(spec.ref, lambda: DynamicSupervisor(spec), spec.restart, math.inf)
        case SupervisorSpec():
            return ChildSpec(spec.ref, lambda: Supervisor(spec), spec.restart, math.inf)
