from __future__ import annotations

from typing import Any

import attrs
import pytest

from chef_supervisor.api import HealthReport, ProcessHealth
from chef_supervisor.vitals import Vitals


@attrs.define(eq=False)
class Process:
    """A process whose clock a test moves."""

    now_s: float = 1000.0
    vitals: Vitals = attrs.field(factory=Vitals)

    def health(self, **fields: Any) -> ProcessHealth:
        given = {"dispatches": True} | fields
        return ProcessHealth(
            sandbox="docker", sandbox_reason="a test", vitals=self.vitals, now=lambda: self.now_s, **given
        )


def test_process_that_lives_has_nothing_to_tell() -> None:
    process = Process()
    health = process.health()
    process.vitals.dispatched_at = process.now_s

    assert health() == HealthReport(sandbox="docker", sandbox_reason="a test")


@pytest.mark.parametrize(("silent_s", "ill"), [(9.0, False), (10.0, False), (10.5, True)])
def test_dispatcher_that_is_silent_too_long_is_a_fault(silent_s: float, ill: bool) -> None:
    process = Process()
    health = process.health()
    process.vitals.dispatched_at = process.now_s + 60.0
    process.now_s += 60.0 + silent_s

    assert bool(health().faults) is ill


@pytest.mark.parametrize(("age_s", "ill"), [(0.0, False), (9.9, False), (11.0, True)])
def test_dispatcher_that_never_began_is_a_fault_once_it_should_have(age_s: float, ill: bool) -> None:
    process = Process()
    health = process.health()
    process.now_s += age_s

    assert bool(health().faults) is ill


def test_silence_is_told_in_seconds() -> None:
    process = Process()
    health = process.health()
    process.now_s += 25.0

    assert health().faults == ("the dispatcher has not turned for 25 s, so no job is taken up",)


def test_process_without_a_dispatcher_does_not_miss_it() -> None:
    process = Process()
    health = process.health(dispatches=False)
    process.now_s += 1e6

    assert health().faults == ()


@pytest.mark.parametrize(("late_s", "ill"), [(4.9, False), (5.5, True)])
def test_loop_that_stood_still_is_a_fault_until_it_is_forgotten(late_s: float, ill: bool) -> None:
    process = Process()
    health = process.health(dispatches=False)
    process.vitals.turned(process.now_s, 0.25)
    process.now_s += 0.25 + late_s
    while_it_stands = health().faults
    process.vitals.turned(process.now_s, 0.25)
    just_after = health().faults
    for _ in range(50):
        process.now_s += 0.25
        process.vitals.turned(process.now_s, 0.25)

    assert (bool(while_it_stands), bool(just_after), health().faults) == (ill, ill, ())


def test_trouble_of_the_sandbox_is_no_fault() -> None:
    health = Process().health(trouble=lambda: "the engine is away", dispatches=False)

    assert health().faults == ()
    assert health().reasons == ("the engine is away",)
