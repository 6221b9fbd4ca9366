"""What a hostile box may say: the impossible is refused, whatever its shape."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.work import (
    ArtifactFound,
    BoxEnded,
    EndedBy,
    ReportFile,
    Step,
    StepEnded,
    StepOutput,
    StepStarted,
    Work,
)
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.hearing import Hearing
from chef_supervisor.sandboxes.wire import Garbled

STEP = Step(name="s", argv=("true",), timeout_s=1)
WORK = Work(
    files={}, steps=(STEP, STEP), timeout_s=1, reports=("r.xml",), output_bytes=10, report_bytes=5, max_artifacts=1
)
SHA = "a" * 64
STARTED = (frames.STARTED, frames.INDEX.pack(0))


def output(index: int, chunk: bytes) -> tuple[int, bytes]:
    return frames.OUTPUT, frames.INDEX.pack(index) + chunk


def said(kind: int, **fields: object) -> tuple[int, bytes]:
    return kind, json.dumps(fields).encode()


def ended(index: object = 0, exit_code: object = 0, ended_by: object = "exit", ms: object = 1) -> tuple[int, bytes]:
    return said(frames.ENDED, index=index, exit_code=exit_code, ended_by=ended_by, ms=ms)


def artifact(path: object = "dist/x", size: object = 1, sha256: object = SHA) -> tuple[int, bytes]:
    return said(frames.ARTIFACT, path=path, bytes=size, sha256=sha256)


def verdict(ended_by: object = "exit", dropped_bytes: object = 0, warnings: object = ()) -> tuple[int, bytes]:
    return said(frames.VERDICT, ended_by=ended_by, dropped_bytes=dropped_bytes, warnings=warnings)


def report(path: str, content: bytes) -> tuple[int, bytes]:
    return frames.REPORT, frames.pack_named(path, content)


def test_an_honest_box_is_understood() -> None:
    hearing = Hearing(WORK)
    told = [
        STARTED,
        output(0, b"hi"),
        ended(exit_code=None, ended_by="oom"),
        report("r.xml", b"<x/>"),
        artifact(),
        verdict("oom", 3, ["w"]),
    ]

    events = [hearing.hear(*frame) for frame in told]

    assert events[:3] == [
        StepStarted(0),
        StepOutput(0, b"hi"),
        StepEnded(index=0, exit_code=None, ended_by=EndedBy.OOM, ms=1),
    ]
    assert events[3] == ReportFile("r.xml", b"<x/>")
    assert isinstance(events[4], ArtifactFound)
    assert events[5] == BoxEnded(complete=True, ended_by=EndedBy.OOM, dropped_bytes=3, warnings=("w",))


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
        pytest.param([artifact(sha256="A" * 64)], id="a digest in capitals"),
        pytest.param([artifact(sha256="a" * 63)], id="a short digest"),
        pytest.param([artifact("a"), artifact("b")], id="too many artifacts"),
        pytest.param([STARTED, verdict()], id="a verdict while a step runs"),
        pytest.param([verdict(dropped_bytes=-1)], id="negative bytes"),
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
