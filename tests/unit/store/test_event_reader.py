from __future__ import annotations

import pytest

from chef_supervisor.domain.job import QueueName
from chef_supervisor.store.answers import Gap
from chef_supervisor.store.event_reader import after_reading, after_silence, number

BUILDS = QueueName("builds")


def entry(position: int) -> list[object]:
    fields = {
        "kind": "job.pending",
        "job": "builds.0_" + "a" * 26,
        "type": "build",
        "status": "pending",
        "progress": "0",
        "at": "1",
    }
    return [f"{position}-0".encode(), [text.encode() for pair in fields.items() for text in pair]]


@pytest.mark.parametrize(("position", "expected"), [("0-0", 0), ("17-0", 17), ("17-1", None), ("17", None), ("", None)])
def test_a_position_is_a_number(position: str, expected: int | None) -> None:
    assert number(position) == expected


def test_the_next_events_follow_without_a_gap() -> None:
    assert [event.position for event in after_reading(BUILDS, 4, [entry(5), entry(6)])] == ["5-0", "6-0"]


def test_a_missing_event_is_a_gap_that_ends_before_the_first_that_is_left() -> None:
    gap, *events = after_reading(BUILDS, 4, [entry(6)])

    assert gap == Gap(BUILDS, "5-0")
    assert [event.position for event in events] == ["6-0"]


@pytest.mark.parametrize(("after", "tail", "gap"), [(3, "3-0", False), (0, "0-0", False), (4, "3-0", True)])
def test_silence_before_the_position_is_a_gap(after: int, tail: str, gap: bool) -> None:
    assert after_silence(BUILDS, after, tail) == ([Gap(BUILDS, tail)] if gap else [])


def test_events_that_came_in_between_are_no_gap() -> None:
    """The reading timed out, and then something happened: the next reading gets it."""
    assert after_silence(BUILDS, 3, "5-0") == []
