"""The lag of the event loop, as its watchdog tells it."""

from __future__ import annotations

from chef_supervisor.vitals import MEMORY_S, Vitals


def test_a_loop_that_nobody_watches_has_no_lag() -> None:
    assert Vitals().loop_lag_s(1000.0) == 0.0


def test_a_loop_that_turns_in_time_has_no_lag() -> None:
    vitals = Vitals()
    for second in range(30):
        vitals.turned(float(second), 1.0)

    assert vitals.loop_lag_s(29.5) == 0.0


def test_the_worst_stall_is_told_for_a_while() -> None:
    vitals = Vitals()
    for at in (0.0, 1.0, 6.0, 7.5, *range(8, 16)):  # four seconds late, then half a second
        vitals.turned(float(at), 1.0)

    assert vitals.loop_lag_s(6.0 + MEMORY_S) == 4.0


def test_a_stall_is_forgotten_when_it_is_long_over() -> None:
    vitals = Vitals()
    for at in (0.0, 6.0, 7.5, *range(8, 18)):
        vitals.turned(float(at), 1.0)

    # Of the stalls only the one of half a second is young enough.
    assert vitals.loop_lag_s(17.0) == 0.5


def test_a_stall_that_lasts_is_told_before_the_next_tick() -> None:
    vitals = Vitals()
    vitals.turned(0.0, 1.0)

    assert vitals.loop_lag_s(31.0) == 30.0
