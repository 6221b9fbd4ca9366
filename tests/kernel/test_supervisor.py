"""Static supervisors: order, strategies, budgets, escalation."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from chef_supervisor.kernel import (
    KILL_GRACE_S,
    Actor,
    AlreadyStarted,
    ChildSpec,
    Ref,
    Restart,
    RestartsExhausted,
    StartFailed,
    Strategy,
    run_tree,
)
from tests.kernel.world import Boom, Crash, End, Note, Pause, Running, World, grow, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual

if TYPE_CHECKING:
    from collections.abc import Iterable


def _of(events: Iterable[str], *kinds: str) -> list[str]:
    return [event for event in events if event.split()[1] in kinds]


@virtual
async def test_children_start_in_order_and_stop_in_reverse() -> None:
    world = World()
    running = await grow(tree(world.child("a"), tree(world.child("b"), world.child("c"), name="sub"), world.child("d")))

    assert world.take() == ["a up", "b up", "c up", "d up"]

    await running.stop()

    assert world.take() == ["d stops", "d down", "c stops", "c down", "b stops", "b down", "a stops", "a down"]


@virtual
async def test_next_child_starts_when_the_one_before_is_ready() -> None:
    world = World()
    world.start_s = {"a": 10}
    running = await grow(tree(world.child("a"), world.child("b")))

    assert world.take() == []

    await asyncio.sleep(10)
    assert world.take() == ["a up", "b up"]
    await running.stop()


@pytest.mark.parametrize(
    ("strategy", "restarted"),
    [
        (Strategy.ONE_FOR_ONE, ["b up"]),
        (Strategy.REST_FOR_ONE, ["c stops", "c down", "b up", "c up"]),
        (Strategy.ONE_FOR_ALL, ["c stops", "c down", "a stops", "a down", "a up", "b up", "c up"]),
    ],
)
@virtual
async def test_each_strategy_restarts_exactly_its_group(strategy: Strategy, restarted: list[str]) -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), world.child("c"), strategy=strategy))
    world.take()

    await tell(world, "b", Crash())

    assert world.take() == ["b down", *restarted]
    await running.stop()


@virtual
async def test_fourth_crash_within_sixty_seconds_escalates() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b")))
    for _ in range(3):
        await tell(world, "b", Crash())
        await asyncio.sleep(20 - 1e-6)
    world.take()

    await tell(world, "b", Crash())

    with pytest.raises(RestartsExhausted, match="root restarted children 3 times in 60 s") as failure:
        await running.over()
    assert isinstance(failure.value.__cause__, Boom)
    assert now_s() == 60
    assert world.take() == ["b down", "a stops", "a down"]


@virtual
async def test_fourth_crash_after_sixty_one_seconds_does_not_escalate() -> None:
    world = World()
    running = await grow(tree(world.child("a")))
    for _ in range(3):
        await tell(world, "a", Crash())
    await asyncio.sleep(61)

    await tell(world, "a", Crash())

    assert _of(world.take(), "up") == ["a up"] * 5
    await running.stop()


@virtual
async def test_one_budget_is_for_all_children() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), max_restarts=1))

    await tell(world, "a", Crash())
    await tell(world, "b", Crash())

    with pytest.raises(RestartsExhausted):
        await running.over()


@virtual
async def test_supervisor_that_gives_up_is_restarted_by_its_own() -> None:
    world = World()
    running = await grow(tree(tree(world.child("a"), world.child("b"), name="sub", max_restarts=0), world.child("c")))
    world.take()

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "b stops", "b down", "a up", "b up"]
    await running.stop()


@virtual
async def test_budgets_multiply_over_levels_until_the_root_gives_up() -> None:
    world = World()
    sub = tree(world.child("a"), name="sub", max_restarts=2)
    running = await grow(tree(sub, max_restarts=1))

    for _ in range(6):
        await tell(world, "a", Crash())

    with pytest.raises(RestartsExhausted, match="root") as failure:
        await running.over()
    assert isinstance(failure.value.__cause__, RestartsExhausted)
    assert _of(world.take(), "up") == ["a up"] * 6


@virtual
async def test_second_crash_during_a_group_restart_spends_one_restart_not_two() -> None:
    world = World()
    children = [world.child("a"), world.child("b"), world.child("c")]
    running = await grow(tree(*children, strategy=Strategy.ONE_FOR_ALL, max_restarts=1))
    world.stop_s = {"c": 5}
    world.take()

    # While c takes its time to stop, a crashes too; it is restarted with the group and its Exited is stale.
    await world.refs["a"].tell(Pause(1))
    await world.refs["a"].tell(Crash())
    await tell(world, "b", Crash())
    await asyncio.sleep(10)

    assert world.take() == ["b down", "c stops", "a down", "c down", "a up", "b up", "c up"]
    await running.stop()


@virtual
async def test_failed_restart_is_tried_again_and_counted() -> None:
    world = World()
    running = await grow(tree(world.child("a"), max_restarts=3))
    world.take()
    world.failing_starts = {"a": 2}

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "a fails", "a fails", "a up"]
    await tell(world, "a", Crash())
    with pytest.raises(RestartsExhausted):
        await running.over()


@virtual
async def test_child_that_never_restarts_exhausts_the_budget() -> None:
    world = World()
    running = await grow(tree(world.child("a"), max_restarts=3))
    world.failing_starts = {"a": 100}

    await tell(world, "a", Crash())

    with pytest.raises(RestartsExhausted):
        await running.over()
    assert world.failing_starts == {"a": 97}


@pytest.mark.parametrize(
    ("strategy", "retried"),
    [
        (Strategy.REST_FOR_ONE, ["a up", "b fails", "b up", "c up"]),
        (Strategy.ONE_FOR_ALL, ["a up", "b fails", "a stops", "a down", "a up", "b up", "c up"]),
    ],
)
@virtual
async def test_later_siblings_wait_for_a_failed_group_restart(strategy: Strategy, retried: list[str]) -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), world.child("c"), strategy=strategy))
    world.take()
    world.failing_starts = {"b": 1}

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "c stops", "c down", "b stops", "b down", *retried]
    await running.stop()


@virtual
async def test_stop_gets_in_between_failing_restarts() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), max_restarts=1000))
    world.start_s, world.failing_starts = {"b": 1}, {"b": 1000}

    await tell(world, "b", Crash())
    await asyncio.sleep(2.5)
    world.take()
    await running.stop()

    assert now_s() == 3
    assert world.take() == ["b fails", "a stops", "a down"]


@virtual
async def test_stop_does_not_wait_for_a_start_that_hangs() -> None:
    world = World()
    world.start_s = {"b": 1e9}
    running = await grow(tree(world.child("a"), tree(world.child("b", shutdown_s=5), name="sub"), world.child("c")))

    await running.stop()

    assert now_s() == 5
    assert world.take() == ["a up", "a stops", "a down"]


@virtual
async def test_partly_started_tree_is_fully_stopped() -> None:
    world = World()
    world.failing_starts = {"c": 1}
    sub = tree(world.child("b"), world.child("c"), name="sub")
    running = await grow(tree(world.child("a"), sub, world.child("d")))

    with pytest.raises(StartFailed, match="sub did not start") as failure:
        await running.over()

    assert world.take() == ["a up", "b up", "c fails", "b stops", "b down", "a stops", "a down"]
    assert isinstance(failure.value.__cause__, StartFailed)
    assert isinstance(failure.value.__cause__.__cause__, Boom)


@virtual
async def test_actor_that_cannot_be_built_is_a_failed_start() -> None:
    def build() -> Actor[object]:
        raise Boom

    running = await grow(tree(ChildSpec(Ref("a"), build)))

    with pytest.raises(StartFailed):
        await running.over()


@virtual
async def test_permanent_child_that_ends_normally_is_restarted_and_counted() -> None:
    world = World()
    running = await grow(tree(world.child("a"), max_restarts=1))

    await tell(world, "a", End())

    assert world.take() == ["a up", "a stops", "a down", "a up"]
    await tell(world, "a", End())
    with pytest.raises(RestartsExhausted):
        await running.over()


@virtual
async def test_transient_child_is_restarted_only_after_a_crash() -> None:
    world = World()
    running = await grow(tree(world.child("a", Restart.TRANSIENT)))

    await tell(world, "a", Crash())
    assert world.take() == ["a up", "a down", "a up"]

    await tell(world, "a", End())
    assert world.take() == ["a stops", "a down"]
    assert world.refs["a"].closed
    await running.stop()


@virtual
async def test_transient_child_that_was_killed_while_ending_is_restarted() -> None:
    world = World()
    world.stop_s = {"a": 10}
    running = await grow(tree(world.child("a", Restart.TRANSIENT, shutdown_s=5)))

    await tell(world, "a", End())
    await asyncio.sleep(5)

    assert world.take() == ["a up", "a stops", "a down", "a up"]
    world.stop_s = {}
    await running.stop()


@virtual
async def test_transient_child_that_ended_comes_back_with_its_group() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b", Restart.TRANSIENT), strategy=Strategy.REST_FOR_ONE))
    await tell(world, "b", End())
    world.take()

    await tell(world, "a", Crash())
    await tell(world, "b", Note("lives"))

    assert world.take() == ["a down", "a up", "b up", "b lives"]
    await running.stop()


@virtual
async def test_temporary_child_is_never_restarted() -> None:
    world = World()
    running = await grow(tree(world.child("a", Restart.TEMPORARY), max_restarts=0))

    await tell(world, "a", Crash())

    assert world.take() == ["a up", "a down"]
    assert world.refs["a"].closed
    await running.stop()


@virtual
async def test_temporary_child_is_dropped_when_a_siblings_death_takes_it() -> None:
    world = World()
    children = [world.child("a"), world.child("b", Restart.TEMPORARY), world.child("c")]
    running = await grow(tree(*children, strategy=Strategy.ONE_FOR_ALL))
    world.take()

    await tell(world, "a", Crash())

    assert world.take() == ["a down", "c stops", "c down", "b stops", "b down", "a up", "c up"]
    assert world.refs["b"].closed
    await running.stop()


@virtual
async def test_temporary_child_comes_back_with_a_new_supervisor() -> None:
    world = World()
    sub = tree(world.child("a", Restart.TEMPORARY), world.child("b"), name="sub", max_restarts=0)
    running = await grow(tree(sub))
    await tell(world, "a", Crash())
    world.take()

    await tell(world, "b", Crash())
    await tell(world, "a", Note("lives"))

    assert world.take() == ["b down", "a up", "b up", "a lives"]
    await running.stop()


@virtual
async def test_group_restart_interrupted_by_a_stop_starts_nobody() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), strategy=Strategy.ONE_FOR_ALL))
    world.stop_s = {"b": 3}
    world.take()

    await tell(world, "a", Crash())
    await running.stop()

    assert world.take() == ["a down", "b stops", "b down"]
    assert now_s() == 3


@virtual
async def test_crash_of_one_while_the_tree_stops_spends_nothing_and_restarts_nobody() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), max_restarts=0))
    world.stop_s = {"b": 3}
    world.take()

    await world.refs["a"].tell(Pause(1))
    await world.refs["a"].tell(Crash())
    await running.stop()

    assert world.take() == ["b stops", "a down", "b down"]


@virtual
async def test_cancelling_run_tree_stops_the_tree_in_order() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b")))
    world.stop_s = {"b": 3}
    world.take()

    running.cancel()
    await settle()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running.over()
    assert world.take() == ["b stops", "b down", "a stops", "a down"]
    assert now_s() == 3


@virtual
async def test_tree_told_to_stop_before_it_began_starts_nobody() -> None:
    world = World()
    running = Running(tree(*(world.child(name) for name in "abc")))

    await running.stop()

    assert world.take() == []
    assert all(ref.closed for ref in world.refs.values())


@virtual
async def test_tree_can_run_again_after_its_end_but_not_beside_itself() -> None:
    world = World()
    spec = tree(world.child("a"))
    running = await grow(spec)

    with pytest.raises(AlreadyStarted):
        await run_tree(spec, asyncio.Event())
    await running.stop()
    await (await grow(spec)).stop()

    assert _of(world.take(), "up", "down") == ["a up", "a down", "a up", "a down"]


@virtual
async def test_every_crash_is_logged_once_by_its_supervisor(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    children = [world.child("a"), world.child("b")]
    running = await grow(tree(tree(*children, name="sub", max_restarts=1, strategy=Strategy.ONE_FOR_ALL)))
    world.failing_starts = {"b": 1}

    await tell(world, "a", Crash())
    await running.stop()

    crashes = [
        (record.name, getattr(record, "actor", None), record.exc_info[0] if record.exc_info else None)
        for record in caplog.records
        if record.levelno >= logging.ERROR
    ]
    assert crashes == [
        ("root.sub", "root.sub.a", Boom),
        ("root.sub", "root.sub.b", Boom),
        ("root", "root.sub", RestartsExhausted),
    ]
    assert {getattr(record, "event", None) for record in caplog.records} == {
        "actor.started",
        "actor.ended",
        "actor.crashed",
    }


@virtual
async def test_child_killed_in_a_stop_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.stop_s = {"a": 10}
    running = await grow(tree(world.child("a", shutdown_s=5)))

    await running.stop()

    assert now_s() == 5 < 5 + KILL_GRACE_S
    assert [getattr(record, "event", None) for record in caplog.records if record.levelno == logging.WARNING] == [
        "actor.killed"
    ]


def test_two_children_cannot_share_an_address() -> None:
    world = World()
    child = world.child("a")

    with pytest.raises(ValueError, match="every child needs a Ref of its own"):
        tree(child, tree(child, name="sub"))


def test_two_siblings_cannot_share_a_name() -> None:
    world = World()

    with pytest.raises(ValueError, match="with a name of its own"):
        tree(world.child("a"), world.child("a"))
