"""Random trees and random scripts for them, and actors that check the order of starts and stops as they go."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from hypothesis import strategies as st

from chef_supervisor.kernel import (
    Actor,
    AnySpec,
    ChildSpec,
    Down,
    DynamicSpec,
    Question,
    Ref,
    Restart,
    Strategy,
    SupervisorSpec,
)
from tests.kernel.world import Boom

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen
class Leaf:
    """An actor."""

    restart: Restart
    stop_s: float = 0
    failing_starts: int = 0


@attrs.frozen
class Pool:
    """A dynamic supervisor."""

    max_children: int


@attrs.frozen
class Branch:
    """A supervisor."""

    children: tuple[Plan, ...]
    strategy: Strategy
    max_restarts: int
    restart: Restart


Plan: TypeAlias = Leaf | Pool | Branch


@attrs.frozen
class Do(Question[str]):
    """Pass `delay_s` seconds, then `act`: answer, crash or end."""

    act: str
    delay_s: float


@attrs.frozen
class Step:
    """One line of a script: after `delay_s` seconds do `what` to the target of that number (modulo the targets)."""

    delay_s: float
    what: str
    target: int
    amount: int


# The simplest example comes first; most trees must live long enough for something to happen to them.
_RESTARTS = st.sampled_from([Restart.PERMANENT, Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY])
_MAX_RESTARTS = st.sampled_from([1, 2, 3, 0, 10])


def plans(*, slow: bool) -> st.SearchStrategy[Branch]:
    """Returns: trees; where not `slow`, stops take no time."""
    stop_s = st.sampled_from([0, 1, 3] if slow else [0])
    leaf = st.builds(Leaf, _RESTARTS, stop_s, st.sampled_from([0] * 15 + [1]))
    pool = st.builds(Pool, st.integers(0, 3))

    def branch(child: st.SearchStrategy[Plan], fewest: int) -> st.SearchStrategy[Branch]:
        children = st.lists(child, min_size=fewest, max_size=3).map(tuple)
        return st.builds(Branch, children, st.sampled_from(Strategy), _MAX_RESTARTS, _RESTARTS)

    inner = branch(leaf | pool, 1)
    middle = branch(leaf | inner, 1)
    return branch(leaf | leaf | pool | inner | middle, 2)


def scripts(*, slow: bool) -> st.SearchStrategy[list[Step]]:
    """Returns: scripts; where not `slow`, only the script itself takes time."""
    acts = ["crash"] * 4 + ["ask crash", "end", "ask", "fail starts", "start child"]
    # A sibling that is busy is waited for before a group starts anew: later than its restart was spent.
    acts += ["pause", "ask pause", "ask briefly", "slow start"] if slow else []
    delay_s = st.sampled_from([0, 0, 0, 0.001, 1, 3, 6, 10, 10.5])
    step = st.builds(Step, delay_s, st.sampled_from(acts), st.integers(0, 5), st.integers(1, 4))
    return st.lists(step, min_size=5, max_size=30)


@attrs.define(eq=False)
class Place:
    """An actor's place in the tree and what is known of whoever is there."""

    name: str
    place: tuple[int, ...]
    branch: Branch | None
    leaf: Leaf
    ref: Ref[Do]
    failing_starts: int = 0
    start_s: float = 0
    alive: bool = False


@attrs.define(eq=False)
class Forest:
    """A tree under test. `PERIOD_S` is short, for scripts to reach its end."""

    PERIOD_S = 10.0

    places: list[Place] = attrs.field(factory=list)
    pools: list[DynamicSpec] = attrs.field(factory=list)
    # Path of a supervisor -> of its present incarnation: place -> when it was built. Filled by Subject.
    builds: dict[str, dict[Place, list[float]]] = attrs.field(factory=lambda: defaultdict(lambda: defaultdict(list)))
    branches: dict[str, Branch] = attrs.field(factory=dict)
    came_up: dict[str, set[Place]] = attrs.field(factory=lambda: defaultdict(set))

    def plant(self, plan: Plan, branch: Branch | None, place: tuple[int, ...], path: str) -> AnySpec:
        """Returns: the spec of `plan`, which stands at `place`."""
        name = "root" if not place else f"n{place[-1]}"
        path = f"{path}.{name}" if path else name
        match plan:
            case Leaf():
                return self.actor(plan, branch, place, path)
            case Pool(max_children):
                pool = DynamicSpec(Ref(name, 4), max_children, shutdown_s=1)
                self.pools.append(pool)
                return pool
            case Branch(children, strategy, max_restarts, restart):
                self.branches[path] = plan
                specs = tuple(self.plant(child, plan, (*place, i), path) for i, child in enumerate(children))
                return SupervisorSpec(name, specs, strategy, max_restarts, self.PERIOD_S, restart)

    def actor(self, leaf: Leaf, branch: Branch | None, place: tuple[int, ...], path: str) -> ChildSpec:
        """Returns: the spec of a Subject; `branch` is None for a pool's."""
        ref = Ref[Do](path.rpartition(".")[2], capacity=1)
        home = Place(path, place, branch, leaf, ref, leaf.failing_starts)
        self.places.append(home)

        def build() -> Actor[Any]:
            self.check_build(home)
            return Subject(self, home)

        return ChildSpec(ref, build, leaf.restart, shutdown_s=2)

    def later_siblings(self, home: Place) -> Iterator[Place]:
        """Returns: who stands after `home` below the same supervisor, the descendants of siblings too."""
        depth = len(home.place)
        for other in self.places:
            same = other.place[: depth - 1] == home.place[:-1] and len(other.place) >= depth
            if same and other.place[depth - 1] > home.place[-1]:
                yield other

    def check_build(self, home: Place) -> None:
        """Assert that it is `home`'s turn, and remember when it was."""
        if home.branch is None:
            return
        supervisor = home.name.rpartition(".")[0]
        seen = self.builds[supervisor]
        if home not in seen:
            earlier = [p for p in self.places if p.branch is home.branch and p.place < home.place]
            missing = [p.name for p in earlier if p not in self.came_up[supervisor]]
            assert not missing, f"{home.name} started before {missing} came up"
        if home not in seen or home.branch.strategy is not Strategy.ONE_FOR_ONE:
            assert home not in seen or home.leaf.restart is not Restart.TEMPORARY, f"{home.name} is back"
            ahead = [p.name for p in self.later_siblings(home) if p.alive]
            assert not ahead, f"{home.name} starts while its later siblings {ahead} live"
        # Not rounded: at the very edge of a window the supervisor looks at the raw clock, too.
        seen[home].append(asyncio.get_running_loop().time())

    def check_budget(self, supervisor: str) -> None:
        """Assert that no window of the ending incarnation of `supervisor` has more restarts than allowed."""
        branch = self.branches[supervisor]
        # What is built for the second time is a restart; in a group one restart builds several.
        restarts = [times[1:] for times in self.builds.pop(supervisor, {}).values()]
        if branch.strategy is Strategy.ONE_FOR_ONE:
            restarts = [sorted(time for times in restarts for time in times)]
        for times in restarts:
            for first, last in zip(times, times[branch.max_restarts :], strict=False):
                assert last - first > self.PERIOD_S, f"{supervisor} restarted at {times}, allowed {branch.max_restarts}"
        self.came_up.pop(supervisor, None)


class Subject(Actor[Do]):
    """Does what the script says."""

    def __init__(self, forest: Forest, home: Place) -> None:
        self.forest = forest
        self.home = home
        self.ends_by_itself = False

    async def on_start(self) -> None:
        assert not self.home.alive, f"{self.home.name} lives twice"
        self.home.alive = True
        life = self.ctx.spawn(asyncio.Event().wait(), name="life")
        life.add_done_callback(lambda _: setattr(self.home, "alive", False))
        await asyncio.sleep(self.home.start_s)
        if self.home.failing_starts > 0:
            self.home.failing_starts -= 1
            raise Boom
        self.forest.came_up[self.home.name.rpartition(".")[0]].add(self.home)

    async def receive(self, message: Do | Down) -> object:
        assert isinstance(message, Do)
        await asyncio.sleep(message.delay_s)
        if message.act == "crash":
            raise Boom
        if message.act == "end":
            self.ends_by_itself = True
            self.ctx.stop()
        return "done"

    async def on_stop(self) -> None:
        if not self.ends_by_itself and self.home.branch is not None:
            after = [place.name for place in self.forest.later_siblings(self.home) if place.alive]
            assert not after, f"{self.home.name} is stopped while its later siblings {after} live"
        await asyncio.sleep(self.home.leaf.stop_s)


class EndOfSupervisor(logging.Handler):
    """Calls Forest.check_budget when the end of a supervisor is logged, which is before anything else comes of it."""

    def __init__(self, forest: Forest) -> None:
        super().__init__(logging.INFO)
        self.forest = forest
        self.failures: list[AssertionError] = []

    def emit(self, record: logging.LogRecord) -> None:
        actor, event = getattr(record, "actor", ""), getattr(record, "event", "")
        error = record.exc_info[1] if record.exc_info else None
        try:
            if event != "actor.started" and actor in self.forest.branches:
                self.forest.check_budget(actor)
            if isinstance(error, AssertionError):
                raise error
        except AssertionError as failure:
            self.failures.append(failure)
