"""What a supervisor logs: each crash once, and each kill."""

from __future__ import annotations

import logging

import pytest

from chef_supervisor.kernel import KILL_GRACE_S, RestartsExhausted, Strategy
from tests.kernel.world import Boom, Crash, World, grow, tell, tree
from tests.kit.virtual_time import now_s, virtual


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
