"""Whatever the agent tells of a step's output, and however it cuts it: each byte has one place, and is told there once."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.job_log import MOST_PIECE_BYTES, LogPiece
from chef_supervisor.domain.work import (
    BoxEnded,
    BoxEvent,
    EndedBy,
    LiveOutput,
    Step,
    StepEnded,
    StepOutput,
    StepStarted,
    StepTail,
    Work,
)
from chef_supervisor.engine.transcript import Transcript
from chef_supervisor.sandboxes.agent import output

WORK = Work(
    files={},
    steps=(Step(name="one", argv=("make", "it"), timeout_s=1), Step(name="two", argv=("test",), timeout_s=1)),
    timeout_s=1,
)
LINE = b"$ make it\n"


def heard(*events: BoxEvent) -> list[LogPiece]:
    transcript = Transcript(run=3)
    return [piece for event in events for piece in transcript.hear(WORK, event)]


def ended(dropped: int = 0) -> StepEnded:
    return StepEnded(index=0, exit_code=0, ended_by=EndedBy.EXIT, ms=1, dropped_bytes=dropped)


def test_each_step_begins_with_its_command() -> None:
    pieces = heard(StepStarted(0), StepOutput(0, b"made\n"), ended(), StepStarted(1), StepOutput(1, b"fine\n"))

    assert [(piece.step, piece.end, piece.content) for piece in pieces] == [
        ("one", 10, b"$ make it\n"),
        ("one", 15, b"made\n"),
        ("two", 22, b"$ test\n"),
        ("two", 27, b"fine\n"),
    ]
    assert {piece.run for piece in pieces} == {3}


def test_what_was_skipped_is_a_gap() -> None:
    *_, live = heard(StepStarted(0), LiveOutput(0, b"live", skipped_bytes=100))

    assert (live.start, live.end) == (len(LINE) + 100, len(LINE) + 104)


def test_of_the_end_only_what_was_not_told_live_is_new() -> None:
    told: list[BoxEvent] = [StepStarted(0), LiveOutput(0, b"abc"), LiveOutput(0, b"fg", skipped_bytes=2)]

    *_, first, second = heard(*told, StepTail(0, b"efgh"), StepTail(0, b"ij"), ended(dropped=4))

    assert (first.start, first.content, second.content) == (len(LINE) + 7, b"h", b"ij")


def test_between_what_was_told_live_and_the_end_there_may_be_a_gap() -> None:
    *_, last = heard(StepStarted(0), LiveOutput(0, b"abc"), StepTail(0, b"xyz"), ended(dropped=1000))

    assert (last.start, last.content) == (len(LINE) + 1000, b"xyz")


def test_where_all_was_told_live_the_end_adds_nothing() -> None:
    told = heard(StepStarted(0), LiveOutput(0, b"abc"), StepTail(0, b"abc"), ended())

    assert [piece.content for piece in told] == [LINE, b"abc"]


def test_what_was_taken_out_of_a_chunk_since_it_was_printed_makes_nothing_come_twice() -> None:
    live = attrs.evolve(LiveOutput(0, b"the key, and more\n"), chunk=b"the ..., and more\n"[4:])
    tail = [attrs.evolve(StepTail(0, b"key, and more\n"), chunk=b"and more\n"), StepTail(0, b"new\n")]

    pieces = heard(StepStarted(0), live, *tail, ended(dropped=4))

    assert [piece.content for piece in pieces] == [LINE, live.chunk, b"new\n"]
    assert [piece.start for piece in pieces[1:]] == [piece.end for piece in pieces[:-1]]


def test_pieces_are_bounded() -> None:
    sizes = [len(piece.content) for piece in heard(StepStarted(0), StepTail(0, bytes(200_000)), ended())]

    assert max(sizes) == MOST_PIECE_BYTES
    assert sum(sizes) == len(LINE) + 200_000


def test_other_events_add_nothing() -> None:
    assert heard(StepStarted(7), BoxEnded(complete=True, ended_by=EndedBy.EXIT)) == []


@attrs.define
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def as_the_agent_tells(prints: list[tuple[bytes, float]], limit: int) -> Iterator[BoxEvent]:
    clock = Clock()
    step = output.StepOutput(limit, output.Trickle(limit, clock))
    yield StepStarted(0)
    for chunk, pause_s in prints:
        clock.now_s += pause_s
        if head := step.head(chunk):
            yield StepOutput(0, head)
        skipped, live = step.live(chunk[len(head) :])
        if live:
            yield LiveOutput(0, live, skipped)
    yield StepTail(0, step.tail.bytes())
    yield ended(step.tail.dropped)


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=30), st.floats(0, 1))), st.integers(1, 40))
def test_with_the_real_agent_every_byte_stands_in_its_place(prints: list[tuple[bytes, float]], limit: int) -> None:
    everything = LINE + b"".join(chunk for chunk, _ in prints)

    pieces = heard(*as_the_agent_tells(prints, limit))

    at = 0
    for piece in pieces:
        assert piece.start >= at
        assert everything[piece.start : piece.end] == piece.content
        at = piece.end
    assert at == len(everything)
