from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    EndedBy,
    LiveOutput,
    ReportFile,
    Step,
    StepEnded,
    StepOutput,
    StepStarted,
    StepTail,
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


def test_what_each_step_printed_stands_with_it() -> None:
    record = Record(planned(JobType.BUILD, sample_projects.load("web")))

    for event in [*box(exits=(0,), output=b"added 46 packages"), *box(exits=(0,), output=b"built")]:
        record.add(event)

    assert record.install is not None
    assert record.install.outputs[0].head.endswith(b"\nadded 46 packages")
    assert record.run.outputs[0].head == b"$ tsc -b && vite build\nbuilt"


# As many bytes as are kept of the beginning of a step's output.
HEAD = b"h\n" * 131_072


def many_steps(number: int) -> Record:
    """Returns: the record of so many steps of a run."""
    plan = attrs.evolve(planned(JobType.BUILD, sample_projects.load("web")), install=None)
    step = Step(name="s", argv=("talk",), timeout_s=1)
    return Record(attrs.evolve(plan, run=attrs.evolve(plan.run, steps=(step,) * number)))


def talking(index: int, head: bytes, tail: bytes = b"", dropped: int = 0) -> list[BoxEvent]:
    """Returns: the events of a step that ends well."""
    ended = StepEnded(index=index, exit_code=0, ended_by=EndedBy.EXIT, ms=1, dropped_bytes=dropped)
    tails = [StepTail(index, part) for part in (tail[:1000], tail[1000:]) if part]
    return [StepStarted(index), StepOutput(index, head), *tails, ended]


def test_what_the_agent_left_out_is_counted() -> None:
    record = many_steps(1)

    for event in talking(0, HEAD, b"t\n" * 131_072, dropped=1000):
        record.add(event)

    kept = record.run.outputs[0]
    assert kept.head == b"$ talk\n" + HEAD
    assert (kept.tail, kept.left_out) == (b"t\n" * 131_071, 1002)


def test_what_was_told_live_is_forgotten_once_the_end_is_told() -> None:
    record = many_steps(1)
    started, printed, tail, ended = talking(0, HEAD, b"live\ntail\n")

    for event in [started, printed, LiveOutput(0, b"live\n"), tail, ended]:
        record.add(event)

    assert (record.run.outputs[0].head, record.run.outputs[0].tail) == (b"$ talk\n" + HEAD, b"live\ntail\n")
    assert record.run.outputs[0].left_out == 0


def test_a_head_from_which_something_was_taken_out_gets_nothing_of_the_end() -> None:
    record = many_steps(1)

    for event in talking(0, HEAD[40:], b"end\n" * 65_536, dropped=1000):
        record.add(event)

    assert record.run.outputs[0].head == b"$ talk\n" + HEAD[40:]


def test_of_a_step_that_was_killed_with_its_box_the_last_words_are_what_was_told_live() -> None:
    record = many_steps(1)
    live = [LiveOutput(0, b"lost\n"), LiveOutput(0, b"x\nlast\n", skipped_bytes=90), LiveOutput(0, b"words\n")]

    said: list[BoxEvent] = [StepStarted(0), StepOutput(0, HEAD), *live]
    for event in said:
        record.add(event)

    kept = record.run.outputs[0]
    assert (kept.head, kept.tail, kept.left_out) == (b"$ talk\n" + HEAD, b"last\nwords\n", 5 + 90 + 2)


def test_all_steps_together_keep_two_megabytes_and_quiet_ones_lose_nothing() -> None:
    record = many_steps(12)
    loud, quiet = b"o" * 99 + b"\n", b"quiet\n"

    for index in range(12):
        for event in talking(index, *((loud * 2621, loud * 2621) if index % 3 else (quiet,))):
            record.add(event)

    outputs = record.run.outputs
    assert 1_990_000 < sum(output.kept for output in outputs.values()) <= 2 << 20
    assert [outputs[index].head for index in (0, 3, 6, 9)] == [b"$ talk\nquiet\n"] * 4
    loud_ones = [outputs[index] for index in range(12) if index % 3]
    assert {output.kept + output.dropped for output in loud_ones} == {len(b"$ talk\n") + 2 * 262_100}
    assert max(output.kept for output in loud_ones) - min(output.kept for output in loud_ones) < 100


def test_output_of_a_step_that_did_not_start_is_ignored() -> None:
    record = many_steps(2)

    record.add(StepOutput(1, b"x"))
    record.add(LiveOutput(7, b"x"))
    record.add(StepTail(-1, b"x"))

    assert record.run.outputs == {}


@pytest.mark.parametrize("chunks", [[b"abcdefgh"], [b"a", b"bc", b"defg", b"h"], [b"abc", b"defgh"]])
def test_head_and_tail_do_not_depend_on_the_chunks(chunks: list[bytes]) -> None:
    kept = HeadTail(2)

    for chunk in chunks:
        kept.add(chunk)

    assert (kept.head, kept.tail, kept.dropped) == (b"ab", b"gh", 4)


def test_head_and_tail_are_cut_at_lines() -> None:
    kept = HeadTail(10)

    kept.add(b"one\ntwo\nthree\nfour\nfive\nsix\n")

    assert (kept.head, kept.tail) == (b"one\ntwo\n", b"five\nsix\n")
    assert kept.left_out == len(b"three\nfour\n")


def test_nothing_is_torn_where_nothing_was_dropped() -> None:
    kept = HeadTail(10)

    kept.add(b"one\n" + "two ü ü ü\n".encode())

    assert (kept.head, kept.tail) == (b"one\n", "two ü ü ü\n".encode())


@pytest.mark.parametrize("dropped", [0, 5])
def test_what_shrinks_keeps_its_ends_and_counts_the_rest(dropped: int) -> None:
    kept = HeadTail(8, b"$\n")
    kept.add(b"12345678abcdefgh"[: 16 if not dropped else 8])
    kept.skip(dropped)
    kept.add(b"abcdefgh" if dropped else b"")

    kept.shrink(3)

    assert (kept.head, kept.tail, kept.dropped) == (b"$\n123", b"fgh", 10 + dropped)


def test_a_short_stream_that_shrinks_is_head_and_tail() -> None:
    kept = HeadTail(8)
    kept.add(b"1234567")

    kept.shrink(3)

    assert (kept.head, kept.tail, kept.dropped) == (b"123", b"567", 1)


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
    assert b"fine" not in record.run.outputs[0].head


@pytest.mark.parametrize(
    ("path", "size", "digest"),
    [("../up", 1, "0" * 64), ("dist/a", -1, "0" * 64), ("dist/a", 1, "zz"), ("/abs", 1, "0" * 64)],
)
def test_artifacts_that_cannot_be_are_left_out(path: str, size: int, digest: str) -> None:
    record = web_record()

    record.add(ArtifactData(path=path, chunk=b"", whole=Artifact(path=path, bytes=size, sha256=digest)))

    assert (record.artifacts, record.left_out) == ({}, 1)


def test_artifacts_are_bounded() -> None:
    record = web_record()

    for number in range(2100):
        whole = Artifact(path=f"dist/{number}", bytes=1, sha256="0" * 64)
        record.add(ArtifactData(path=whole.path, chunk=b"a", whole=whole))

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
