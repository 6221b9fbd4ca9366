from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactFound,
    BoxEnded,
    BoxEvent,
    EndedBy,
    ReportFile,
    StepEnded,
    StepOutput,
    StepStarted,
)
from chef_supervisor.engine.headtail import HeadTail
from chef_supervisor.engine.record import Record, needs_retry
from tests.kit import sample_projects
from tests.unit.engine.samples import box, planned, web_record


def test_percent_rises_with_the_steps_of_both_boxes_and_stays_below_100() -> None:
    record = Record(planned(JobType.BUILD, sample_projects.load("web")))
    seen = [record.percent]

    for event in [*box(exits=(0,)), *box(exits=(0,))]:
        record.add(event)
        seen.append(record.percent)

    assert seen == sorted(seen)
    assert sorted(set(seen)) == [0, 4, 49, 54, 99]


def test_a_failed_install_ends_the_record_before_the_run() -> None:
    record = Record(planned(JobType.BUILD, sample_projects.load("web")))

    for event in box(exits=(1,), output=b"no such package"):
        record.add(event)

    assert record.install_failed
    assert not needs_retry(record)
    assert record.current is record.install


def test_what_an_install_printed_does_not_stand_in_the_output_of_the_run() -> None:
    record = Record(planned(JobType.BUILD, sample_projects.load("web")))

    for event in [*box(exits=(0,), output=b"added 46 packages"), *box(exits=(0,), output=b"built")]:
        record.add(event)

    assert record.run.output.head == b"$ npm run build\nbuilt"


def test_output_is_bounded_and_what_falls_out_is_counted() -> None:
    record = web_record()

    for _ in range(300):
        record.add(StepOutput(0, b"x" * 1000 + b"\n" * 24))

    kept = record.run.output
    assert len(kept.head) + len(kept.tail) <= 262_144
    assert kept.dropped == 300 * 1024 - 262_144


@pytest.mark.parametrize("chunks", [[b"abcdefgh"], [b"a", b"bc", b"defg", b"h"], [b"abc", b"defgh"]])
def test_head_and_tail_do_not_depend_on_the_chunks(chunks: list[bytes]) -> None:
    kept = HeadTail(4)

    for chunk in chunks:
        kept.add(chunk)

    assert (kept.head, kept.tail, kept.dropped) == (b"ab", b"gh", 4)


def test_head_and_tail_are_cut_at_lines() -> None:
    kept = HeadTail(20)

    kept.add(b"one\ntwo\nthree\nfour\nfive\nsix\n")

    assert (kept.head, kept.tail) == (b"one\ntwo\n", b"five\nsix\n")
    assert kept.left_out == len(b"three\nfour\n")


def test_nothing_is_torn_where_nothing_was_dropped() -> None:
    kept = HeadTail(20)

    kept.add(b"one\n" + "two ü ü ü\n".encode())

    assert (kept.head, kept.tail) == (b"one\n", "two ü ü ü\n".encode())


def test_events_that_cannot_be_are_ignored() -> None:
    record = web_record()

    impossible: list[BoxEvent] = [
        StepStarted(-1),
        StepStarted(7),
        StepEnded(index=9, exit_code=0, ended_by=EndedBy.EXIT, ms=1),
        ReportFile("etc/passwd", b"x"),
    ]

    for event in impossible:
        record.add(event)

    assert (set(), {}, {}) == (record.run.started, record.run.ended, record.reports)


def test_a_box_says_nothing_after_its_end() -> None:
    record = web_record()
    for event in box(exits=(1,)):
        record.add(event)

    for event in box(exits=(0,), output=b"all is fine"):
        record.add(event)

    assert not record.run.succeeded
    assert b"fine" not in record.run.output.head


@pytest.mark.parametrize(
    ("path", "size", "digest"),
    [("../up", 1, "0" * 64), ("dist/a", -1, "0" * 64), ("dist/a", 1, "zz"), ("/abs", 1, "0" * 64)],
)
def test_artifacts_that_cannot_be_are_left_out(path: str, size: int, digest: str) -> None:
    record = web_record()

    record.add(ArtifactFound(Artifact(path=path, bytes=size, sha256=digest)))

    assert (record.artifacts, record.left_out) == ({}, 1)


def test_artifacts_are_bounded() -> None:
    record = web_record()

    for number in range(2100):
        record.add(ArtifactFound(Artifact(path=f"dist/{number}", bytes=1, sha256="0" * 64)))

    assert (len(record.artifacts), record.left_out) == (2000, 100)


@pytest.mark.parametrize(
    ("end", "retry"),
    [
        (None, True),
        (BoxEnded(complete=False, ended_by=EndedBy.KILLED), True),
        (BoxEnded(complete=False, ended_by=EndedBy.EXIT), True),
        (BoxEnded(complete=True, ended_by=EndedBy.EXIT), True),
        (BoxEnded(complete=False, ended_by=EndedBy.OOM), False),
        (BoxEnded(complete=False, ended_by=EndedBy.TIMEOUT), False),
    ],
)
def test_a_run_is_spoilt_where_nobody_can_say_how_it_ended(end: BoxEnded | None, *, retry: bool) -> None:
    record = web_record()

    if end is not None:
        record.add(end)

    assert retry is needs_retry(record)


def test_a_report_is_cut_at_its_bound() -> None:
    plan = planned(JobType.TEST, sample_projects.load("web"))
    record = Record(attrs.evolve(plan, install=None))

    record.add(ReportFile(".chef/vitest.json", b"x" * (5 << 20)))

    assert len(record.reports[".chef/vitest.json"]) == 4 << 20
