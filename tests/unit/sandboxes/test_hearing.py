"""What a hostile box may say: the impossible is refused, whatever its shape."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    EndedBy,
    LiveOutput,
    ReportFile,
    Step,
    StepEnded,
    StepOutput,
    StepStarted,
    StepTail,
    Work,
)
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.hearing import Hearing
from chef_supervisor.sandboxes.wire import Garbled

STEP = Step(name="s", argv=("true",), timeout_s=1)
WORK = Work(
    files={},
    steps=(STEP, STEP),
    timeout_s=1,
    reports=("r.xml",),
    step_output_bytes=10,
    live_bytes_per_s=1,
    most_output_bytes=1000,
    report_bytes=5,
    max_artifacts=1,
)
# What the live output of a second's work may be at most, with the time that its end may take.
LIVE_BYTES = 61
STARTED = (frames.STARTED, frames.INDEX.pack(0))


def output(index: int, chunk: bytes) -> tuple[int, bytes]:
    return frames.OUTPUT, frames.INDEX.pack(index) + chunk


def live(index: int, chunk: bytes, skipped: int = 0) -> tuple[int, bytes]:
    return frames.LIVE, frames.PLACE.pack(index, skipped) + chunk


def tail(index: int, chunk: bytes) -> tuple[int, bytes]:
    return frames.TAIL, frames.INDEX.pack(index) + chunk


def said(kind: int, **fields: object) -> tuple[int, bytes]:
    return kind, json.dumps(fields).encode()


def ended(**fields: object) -> tuple[int, bytes]:
    usual = {"index": 0, "exit_code": 0, "ended_by": "exit", "ms": 1, "dropped_bytes": 0}
    return said(frames.ENDED, **{**usual, **fields})


def artifact(path: object = "dist/x", size: object = 0) -> tuple[int, bytes]:
    return said(frames.ARTIFACT, path=path, bytes=size)


def verdict(ended_by: object = "exit", warnings: object = ()) -> tuple[int, bytes]:
    return said(frames.VERDICT, ended_by=ended_by, warnings=warnings)


def report(path: str, content: bytes) -> tuple[int, bytes]:
    return frames.REPORT, frames.pack_named(path, content)


def test_an_honest_box_is_understood() -> None:
    hearing = Hearing(WORK)
    told = [
        STARTED,
        output(0, b"hi"),
        live(0, b"there", 7),
        tail(0, b"bye"),
        ended(exit_code=None, ended_by="oom", dropped_bytes=3),
        report("r.xml", b"<x/>"),
        artifact(),
        verdict("oom", ["w"]),
    ]

    events = [hearing.hear(*frame) for frame in told]

    assert events[:5] == [
        StepStarted(0),
        StepOutput(0, b"hi"),
        LiveOutput(0, b"there", skipped_bytes=7),
        StepTail(0, b"bye"),
        StepEnded(index=0, exit_code=None, ended_by=EndedBy.OOM, ms=1, dropped_bytes=3),
    ]
    assert events[5] == ReportFile("r.xml", b"<x/>")
    assert isinstance(events[6], ArtifactData)
    assert events[7] == BoxEnded(complete=True, ended_by=EndedBy.OOM, warnings=("w",))


def test_each_step_has_a_head_and_a_tail_of_its_own() -> None:
    hearing = Hearing(WORK)
    first = [STARTED, output(0, b"x" * 10), tail(0, b"x" * 10), ended()]
    second = [(frames.STARTED, frames.INDEX.pack(1)), output(1, b"x" * 10), tail(1, b"x" * 10), ended(index=1)]

    events = [hearing.hear(*frame) for frame in first + second]

    assert len(events) == 8


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([(frames.STARTED, frames.INDEX.pack(1))], id="a step is skipped"),
        pytest.param([(frames.STARTED, frames.INDEX.pack(0xFFFFFFFF))], id="a step there is none of"),
        pytest.param([(frames.STARTED, b"\0")], id="a short index"),
        pytest.param([STARTED, STARTED], id="started twice"),
        pytest.param([STARTED, ended(), (frames.STARTED, frames.INDEX.pack(0))], id="the same step again"),
        pytest.param([output(0, b"x")], id="output of no step"),
        pytest.param([STARTED, output(1, b"x")], id="output of a step to come"),
        pytest.param([STARTED, output(0, b"x" * 6), output(0, b"x" * 5)], id="more output than allowed"),
        pytest.param([STARTED, (frames.OUTPUT, b"\0\0")], id="output without its step"),
        pytest.param([STARTED, tail(0, b"x" * 6), tail(0, b"x" * 5)], id="more of a tail than allowed"),
        pytest.param([STARTED, tail(1, b"x")], id="the tail of another step"),
        pytest.param([STARTED, ended(), tail(0, b"x")], id="the tail of a step that is over"),
        pytest.param([live(0, b"x")], id="live output of no step"),
        pytest.param([STARTED, live(1, b"x")], id="live output of a step to come"),
        pytest.param([STARTED, live(0, b"x" * LIVE_BYTES), live(0, b"x")], id="more live output than allowed"),
        pytest.param([STARTED, live(0, b"x", 1 << 63)], id="more is skipped than can be printed"),
        pytest.param([STARTED, (frames.LIVE, bytes(11))], id="live output without its place"),
        pytest.param([STARTED, ended(dropped_bytes=1 << 40)], id="more is dropped than can be printed"),
        pytest.param([STARTED, ended(dropped_bytes=-1)], id="negative bytes"),
        pytest.param([ended()], id="the end of no step"),
        pytest.param([STARTED, ended(index=1)], id="the end of another step"),
        pytest.param([STARTED, ended(exit_code=256)], id="exit code 256"),
        pytest.param([STARTED, ended(exit_code=-1)], id="exit code -1"),
        pytest.param([STARTED, ended(exit_code=True)], id="exit code true"),
        pytest.param([STARTED, ended(exit_code="0")], id="exit code in quotes"),
        pytest.param([STARTED, ended(exit_code=None)], id="an exit without a code"),
        pytest.param([STARTED, ended(ended_by="oom")], id="a code without an exit"),
        pytest.param([STARTED, ended(exit_code=None, ended_by="magic")], id="an unknown ending"),
        pytest.param([STARTED, ended(ms=1.5)], id="half a millisecond"),
        pytest.param([STARTED, ended(ms=1 << 60)], id="a billion years"),
        pytest.param([STARTED, said(frames.ENDED, index=0)], id="missing fields"),
        pytest.param([STARTED, (frames.ENDED, b"[" * 60_000)], id="deep json"),
        pytest.param([STARTED, (frames.ENDED, b"9" * 5_000)], id="a giant number"),
        pytest.param([STARTED, (frames.ENDED, b"\xff\xfe{\0}\0")], id="another encoding"),
        pytest.param([STARTED, (frames.ENDED, b"null")], id="no object"),
        pytest.param([report("other.xml", b"")], id="a report nobody asked for"),
        pytest.param([report("r.xml", b""), report("r.xml", b"")], id="a report twice"),
        pytest.param([report("r.xml", b"123456")], id="a report too long"),
        pytest.param([artifact("../../etc/passwd")], id="a path upwards"),
        pytest.param([artifact("/etc/passwd")], id="an absolute path"),
        pytest.param([artifact("a\u202eb")], id="an invisible character"),
        pytest.param([artifact("\ud800")], id="a lone surrogate"),
        pytest.param([artifact(["x"])], id="a list for a path"),
        pytest.param([artifact(size=-1)], id="a negative size"),
        pytest.param([artifact("a"), artifact("b")], id="too many artifacts"),
        pytest.param([artifact(size=1), verdict()], id="a verdict within an artifact"),
        pytest.param([artifact(size=1), (frames.DATA, b"xy")], id="more of an artifact than was said"),
        pytest.param([(frames.DATA, b"x")], id="data of no artifact"),
        pytest.param([STARTED, verdict()], id="a verdict while a step runs"),
        pytest.param([verdict(warnings="text")], id="warnings that are no list"),
        pytest.param([verdict(warnings={"a": 1})], id="warnings as an object"),
        pytest.param([verdict(warnings=None)], id="no warnings at all"),
        pytest.param([verdict(warnings=[1])], id="a warning that is no text"),
        pytest.param([verdict(warnings=["w"] * 21)], id="too many warnings"),
        pytest.param([(99, b"")], id="an unknown kind"),
    ],
)
def test_the_impossible_is_garbled(told: list[tuple[int, bytes]]) -> None:
    hearing = Hearing(WORK)
    *before, last = told
    for frame in before:
        hearing.hear(*frame)

    with pytest.raises(Garbled):
        hearing.hear(*last)


@given(st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=40)), max_size=8))
def test_noise_is_events_or_garbled_and_nothing_else(told: list[tuple[int, bytes]]) -> None:
    hearing = Hearing(WORK)

    try:
        events = [hearing.hear(kind, payload) for kind, payload in told]
    except Garbled:
        return

    assert len(events) == len(told)


def test_a_long_warning_is_cut() -> None:
    heard = Hearing(WORK).hear(*verdict(warnings=["w" * 10_000]))

    assert isinstance(heard, BoxEnded)
    assert len(heard.warnings[0]) == 500
