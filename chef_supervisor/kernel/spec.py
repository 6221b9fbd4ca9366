"""A supervision tree as data: what runs, in which order, and what a death means."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Never, TypeAlias

import attrs

from chef_supervisor.kernel.messages import Crashed, Killed, Question, Reason
from chef_supervisor.kernel.ref import Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chef_supervisor.kernel.actor import Actor


class Restart(enum.Enum):
    """When a child that ended on its own is started again. Source: OTP `supervisor`."""

    PERMANENT = "permanent"  # always, after an orderly end too
    TRANSIENT = "transient"  # after a crash
    TEMPORARY = "temporary"  # never; it is also dropped when a sibling's death takes it along

    def wanted_after(self, reason: Reason) -> bool:
        """Returns: whether another incarnation follows one that ended with `reason`."""
        return self is Restart.PERMANENT or (self is Restart.TRANSIENT and isinstance(reason, Crashed | Killed))


class Strategy(enum.Enum):
    """Who is restarted with a child that is. Source: OTP `supervisor`."""

    ONE_FOR_ONE = "one_for_one"  # nobody
    ONE_FOR_ALL = "one_for_all"  # all siblings
    REST_FOR_ONE = "rest_for_one"  # the siblings that were started after it


@attrs.frozen(eq=False)
class ChildSpec:
    """
    One actor.

    Attributes:
        build: makes an incarnation; called at every start, and raising is a failed start.
        shutdown_s: seconds from a stop to its cancellation.
    """

    ref: Ref[Any]
    build: Callable[[], Actor[Any]]
    restart: Restart = Restart.PERMANENT
    shutdown_s: float = attrs.field(default=5.0, validator=attrs.validators.ge(0))


@attrs.frozen(eq=False)
class DynamicSpec:
    """
    A supervisor of temporary children that `ref.ask(StartChild(...))` starts while the tree runs.

    Attributes:
        max_children: more at a time are refused with StartFailed; None is no limit.
        shutdown_s: seconds from a stop to the cancellation of all children that still run; they stop in parallel.
    """

    ref: Ref[StartChild]
    max_children: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))
    shutdown_s: float = attrs.field(default=5.0, validator=attrs.validators.ge(0))
    restart: Restart = Restart.PERMANENT


@attrs.frozen(eq=False)
class SupervisorSpec:
    """
    A supervisor and its children, in the order of their start.

    Attributes:
        max_restarts: more within `period_s` seconds and it stops its children and fails. Over levels these multiply.
    """

    name: str
    children: tuple[AnySpec, ...]
    strategy: Strategy = Strategy.ONE_FOR_ONE
    max_restarts: int = attrs.field(default=3, validator=attrs.validators.ge(0))
    period_s: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))
    restart: Restart = Restart.PERMANENT
    ref: Ref[Never] = attrs.field(init=False, default=attrs.Factory(lambda self: Ref(self.name), takes_self=True))

    def __attrs_post_init__(self) -> None:
        """Two actors must not read one mailbox, nor two siblings log under one path."""
        refs = list(addresses(self))
        names = [child.ref.name for child in self.children]
        if len(set(refs)) < len(refs) or len(set(names)) < len(names):
            raise ValueError(f"{self.name}: every child needs a Ref of its own, with a name of its own: {names}")


AnySpec: TypeAlias = ChildSpec | DynamicSpec | SupervisorSpec


@attrs.frozen
class StartChild(Question[None]):
    """Start `spec` as a temporary child, whatever its `restart` says; answered when `on_start` returned."""

    spec: ChildSpec


@attrs.frozen
class StartChildren(Question[tuple[Exception | None, ...]]):
    """
    Start all of `specs` together, each as `StartChild` does: answered when the last `on_start` returned.

    Answered, for each, with the Refusal that StartChild would have raised, or None.
    """

    specs: tuple[ChildSpec, ...]


@attrs.frozen
class Children(Question[tuple[Ref[Any], ...]]):
    """Which children live, in the order of their start: for whoever had them started and was restarted since."""


def addresses(spec: AnySpec) -> Iterator[Ref[Any]]:
    """Returns: the addresses of `spec` and all below it, parents first."""
    yield spec.ref
    if isinstance(spec, SupervisorSpec):
        for child in spec.children:
            yield from addresses(child)


def close(spec: AnySpec) -> None:
    """Close the addresses of `spec` and all below it: nobody will be started there."""
    for ref in addresses(spec):
        ref.close()
