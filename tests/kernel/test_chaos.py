"""
Whatever the tree and whatever happens to it: nothing is orphaned, nothing hangs, nothing is restarted too often or in
the wrong order, and what should run does. A failing example replays exactly: no randomness and no real time is left.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chef_supervisor.kernel import (
    Ref,
    Refusal,
    Restart,
    RestartsExhausted,
    StartChild,
    StartFailed,
    SupervisorSpec,
    run_tree,
)
from tests.kernel.chaos import Branch, Do, EndOfSupervisor, Forest, Leaf, Step, plans, scripts
from tests.kit.virtual_time import run, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

PATIENCE_S = 1e9
CHAOS = settings(
    max_examples=150,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CALLS: dict[str, Callable[[Ref[Do], int], Coroutine[Any, Any, object]]] = {
    "crash": lambda ref, _: ref.tell(Do("crash", 0)),
    "end": lambda ref, _: ref.tell(Do("end", 0)),
    "pause": lambda ref, amount: ref.tell(Do("go on", amount)),
    "ask": lambda ref, _: ref.ask(Do("answer", 0), PATIENCE_S),
    "ask pause": lambda ref, amount: ref.ask(Do("answer", amount), PATIENCE_S),
    "ask crash": lambda ref, _: ref.ask(Do("crash", 0), PATIENCE_S),
    "ask briefly": lambda ref, amount: ref.ask(Do("answer", amount - 1), 1),
}


@attrs.define(eq=False)
class Stage:
    """Plays a script on a tree and remembers every call that was made."""

    forest: Forest
    calls: list[asyncio.Task[Any]] = attrs.field(factory=list)
    started: int = 0

    def play(self, step: Step) -> None:
        """Begin what `step` says; it may block and is not waited for."""
        if step.what == "start child":
            if self.forest.pools:
                self._call(self._start_child(step))
        elif self.forest.places:
            place = self.forest.places[step.target % len(self.forest.places)]
            if step.what == "fail starts":
                place.failing_starts = step.amount
            elif step.what == "slow start":
                place.start_s = step.amount
            else:
                self._call(CALLS[step.what](place.ref, step.amount))

    def _call(self, call: Coroutine[Any, Any, object]) -> None:
        self.calls.append(asyncio.create_task(call, name="call"))

    async def _start_child(self, step: Step) -> None:
        pool = self.forest.pools[step.target % len(self.forest.pools)]
        self.started += 1
        nursery = Forest()
        spec = nursery.actor(Leaf(Restart.PERMANENT, 0, step.amount // 4), None, (), f"pool.child{self.started}")
        (child,) = nursery.places
        await pool.ref.ask(StartChild(spec), PATIENCE_S)
        self.forest.places.append(child)

    def check_calls(self) -> None:
        """Assert that every call came to an end, and only to one that it may."""
        for call in self.calls:
            assert call.done(), f"unanswered: {call}"
            error = call.exception()
            assert error is None or isinstance(error, Refusal | TimeoutError), error


def _check_lives(forest: Forest) -> None:
    """Assert that in a tree left alone whoever must run does."""
    for place in forest.places:
        path = place.name.split(".")[:-1]
        above = [forest.branches[".".join(path[: i + 1])] for i in range(1, len(path))] if place.branch else []
        may_be_gone = place.leaf.restart is not Restart.PERMANENT or any(
            branch.restart is Restart.TEMPORARY for branch in above
        )
        assert may_be_gone or place.branch is None or place.alive, f"{place.name} was forgotten"


async def _perform(spec: SupervisorSpec, stage: Stage, script: list[Step], *, end: str) -> None:
    before = asyncio.all_tasks()
    stop = asyncio.Event()
    tree = asyncio.create_task(run_tree(spec, stop), name="run_tree")
    for step in script:
        await asyncio.sleep(step.delay_s)
        stage.play(step)
    if end == "after a rest":
        await asyncio.sleep(1000)
        if not tree.done():
            _check_lives(stage.forest)
    if end == "by cancel":
        await settle()
        tree.cancel()
    stop.set()
    await asyncio.wait({tree})
    left = asyncio.all_tasks() - before - set(stage.calls)
    assert not left, f"orphans: {left}"
    await settle()
    stage.check_calls()
    if not tree.cancelled():
        assert isinstance(tree.exception(), RestartsExhausted | StartFailed | None), tree.exception()


def _play(plan: Branch, script: list[Step], *, end: str, budget: bool) -> None:
    forest = Forest()
    spec = forest.plant(plan, None, (), "")
    assert isinstance(spec, SupervisorSpec)
    log, handler = logging.getLogger("root"), EndOfSupervisor(forest)
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        run(_perform(spec, Stage(forest), script, end=end), debug=False)
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = True
    if budget:
        forest.check_budget("root")
    assert not [failure for failure in handler.failures if budget or "allowed" not in str(failure)]


@CHAOS
@given(plans(slow=True), scripts(slow=True), st.sampled_from(["at once", "after a rest", "by cancel"]))
def test_no_orphan_no_unanswered_ask_and_the_right_order_whatever_happens(
    plan: Branch, script: list[Step], end: str
) -> None:
    _play(plan, script, end=end, budget=False)


@CHAOS
@given(plans(slow=False), scripts(slow=False))
def test_never_more_restarts_than_allowed_in_any_window(plan: Branch, script: list[Step]) -> None:
    # Nothing but the script takes time here, so the moment of a start is the moment its restart was spent.
    _play(plan, script, end="after a rest", budget=True)
