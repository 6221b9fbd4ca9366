"""Actors that do what they are told and write down what happens to them; trees of them; a handle on a running tree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import attrs

from chef_supervisor.kernel import (
    Actor,
    ActorGone,
    AnySpec,
    ChildSpec,
    Down,
    Question,
    Ref,
    Restart,
    Strategy,
    SupervisorSpec,
    run_tree,
)
from tests.kit.virtual_time import settle


class Boom(Exception):
    """The crash that was asked for."""


@attrs.frozen
class Crash:
    """Raise Boom."""


@attrs.frozen
class End:
    """Call ctx.stop()."""


@attrs.frozen
class Pause:
    """Take `delay_s` seconds to handle this."""

    delay_s: float


@attrs.frozen
class Note:
    """Write `text` down."""

    text: str


@attrs.frozen
class Echo(Question[str]):
    """Answer `text`, after `delay_s` seconds."""

    text: str
    delay_s: float = 0


@attrs.frozen
class CrashAsked(Question[str]):
    """Raise Boom instead of an answer."""


@attrs.frozen
class Refuse(Question[str]):
    """Answer with a Refusal."""


Order = Crash | End | Pause | Note | Echo | CrashAsked | Refuse


class World:
    """What all actors of a test share: their addresses, what they wrote down, and how their starts go."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.refs: dict[str, Ref[Any]] = {}
        # name -> how many of its next starts fail
        self.failing_starts: dict[str, int] = {}
        self.start_s: dict[str, float] = {}
        self.stop_s: dict[str, float] = {}

    def child(self, name: str, restart: Restart = Restart.PERMANENT, shutdown_s: float = 5.0, **more: int) -> ChildSpec:
        """Returns: a Puppet at a new address."""
        ref = self.refs[name] = Ref[Any](name, **more)
        return ChildSpec(ref, lambda: Puppet(self), restart, shutdown_s)

    def take(self) -> list[str]:
        """Returns: what was written since the last call."""
        events, self.events = self.events, []
        return events


class Puppet(Actor[Order]):
    """Does what it is told."""

    def __init__(self, world: World) -> None:
        self.world = world

    def note(self, text: str) -> None:
        self.world.events.append(f"{self.ctx.ref.name} {text}")

    async def on_start(self) -> None:
        name = self.ctx.ref.name
        await asyncio.sleep(self.world.start_s.get(name, 0))
        if self.world.failing_starts.get(name, 0) > 0:
            self.world.failing_starts[name] -= 1
            self.note("fails")
            raise Boom
        self.note("up")
        self.ctx.spawn(self._until_the_end(), name="life")

    async def _until_the_end(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.note("down")

    async def receive(self, message: Order | Down) -> object:
        match message:
            case Crash() | CrashAsked():
                raise Boom
            case End():
                self.ctx.stop()
            case Pause(delay_s):
                await asyncio.sleep(delay_s)
            case Note(text):
                self.note(text)
            case Echo(text, delay_s):
                await asyncio.sleep(delay_s)
                self.note(f"answers {text}")
                return text
            case Refuse():
                raise ActorGone("somebody else")
            case Down(ref, reason):
                self.note(f"hears {ref.name} {type(reason).__name__}")
        return None

    async def on_stop(self) -> None:
        self.note("stops")
        await asyncio.sleep(self.world.stop_s.get(self.ctx.ref.name, 0))


def tree(
    *children: AnySpec,
    name: str = "root",
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    max_restarts: int = 3,
    period_s: float = 60,
    restart: Restart = Restart.PERMANENT,
) -> SupervisorSpec:
    """Returns: a supervisor of `children`."""
    return SupervisorSpec(name, children, strategy, max_restarts, period_s, restart)


class Running:
    """A tree that runs beside the test."""

    def __init__(self, spec: SupervisorSpec) -> None:
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(run_tree(spec, self._stop), name="run_tree")

    async def stop(self) -> None:
        """Stop it in order and see it end well."""
        self._stop.set()
        await self.over()

    async def over(self) -> None:
        """Wait for the end it comes to by itself, and raise what it raises."""
        await self._task

    def cancel(self) -> None:
        """Cancel run_tree itself."""
        self._task.cancel()


async def grow(spec: SupervisorSpec) -> Running:
    """Returns: the tree, as started as it gets without time passing."""
    running = Running(spec)
    await settle()
    return running


async def tell(world: World, name: str, *messages: Order) -> None:
    """Tell and let everything come of it that takes no time."""
    for message in messages:
        await world.refs[name].tell(message)
    await settle()


def of(events: Iterable[str], *kinds: str) -> list[str]:
    """Returns: those events that are of one of the kinds, such as `up`."""
    return [event for event in events if event.split()[1] in kinds]
