"""What both kinds of supervisors share: beginning a child, seeing it to its end, and what a stuck one means."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chef_supervisor.kernel import report
from chef_supervisor.kernel.actor import Actor
from chef_supervisor.kernel.cell import Cell
from chef_supervisor.kernel.errors import ChildStuck, StartFailed
from chef_supervisor.kernel.messages import Crashed, Exited, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chef_supervisor.kernel.spec import ChildSpec

M_contra = TypeVar("M_contra", contravariant=True)


class Guardian(Actor[M_contra]):
    """
    An actor that has children.

    They are no TaskGroup: that would cancel all at the first error, which is the opposite of supervision. The guardian
    itself is the scope that none of them outlives: `on_exit` stops them however it ends.
    """

    # Level of orderly starts and ends in the log.
    level: int

    def begin(self, spec: ChildSpec) -> Cell:
        """Start an incarnation; its end, a failed start too, comes back as Exited. Raises AlreadyStarted."""
        path = f"{self.ctx.path}.{spec.ref.name}"
        return Cell(spec, path, on_end=lambda cell: self.ctx.ref.notify(Exited(cell)))

    def report_start(self, cell: Cell) -> None:
        """Log that `cell` is ready."""
        report.started(self.ctx.path, cell.path, self.level)

    async def bury(self, cell: Cell) -> Reason:
        """Wait for the end of `cell` and log it: to be called once per incarnation. Returns: how it ended."""
        reason = await cell.ended()
        report.ended(self.ctx.path, cell.path, reason, self.level)
        return reason


def escalate_stuck(reasons: Iterable[Reason]) -> None:
    """Raise the first ChildStuck in `reasons`, a child's own or one it passes on: no supervisor may heal that."""
    for reason in reasons:
        if isinstance(reason, Crashed) and isinstance(reason.error, ChildStuck):
            raise reason.error


def start_failed(name: str, reason: Reason) -> StartFailed:
    """Returns: the error for a first start that ended with `reason`."""
    failure = StartFailed(name, repr(reason))
    failure.__cause__ = cause(reason)
    return failure


def cause(reason: Reason) -> BaseException | None:
    """Returns: what an error that follows from `reason` is raised from."""
    return reason.error if isinstance(reason, Crashed) else None
