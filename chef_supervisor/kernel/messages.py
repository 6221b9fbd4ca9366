"""The kernel's own messages, and the ways an incarnation can end. All but `Question` travel in the system lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import attrs

if TYPE_CHECKING:
    from chef_supervisor.kernel.cell import Cell
    from chef_supervisor.kernel.ref import Ref

A = TypeVar("A")


class Question(Generic[A]):
    """Base of messages that are asked; `A` is the type of the answer, which is what `receive` returns."""


@attrs.frozen
class Ended:
    """The actor called `ctx.stop()` and ended in order."""


@attrs.frozen
class Stopped:
    """Its supervisor stopped it, and it ended in order."""


@attrs.frozen
class Killed:
    """It took longer than `shutdown_s` to end and was cancelled."""


@attrs.frozen
class Crashed:
    """An exception ended it; a `ChildStuck` here means that it has not ended and never will."""

    error: BaseException


@attrs.frozen
class Gone:
    """The address is closed and nobody lives there; how the last incarnation ended is not known any more."""


Reason: TypeAlias = Ended | Stopped | Killed | Crashed | Gone


@attrs.frozen
class Down:
    """The incarnation at `ref` has ended. The address may live on: a new incarnation may already be starting."""

    ref: Ref[Any]
    reason: Reason


@attrs.frozen
class Stop:
    """
    End in order, with `reason` as the reason.

    `for_good` says that nobody will be started here again, so a supervisor may close its children's addresses.
    """

    reason: Ended | Stopped
    for_good: bool = False


@attrs.frozen
class Exited:
    """To a supervisor: this incarnation of a child has ended, or has failed to start."""

    cell: Cell
