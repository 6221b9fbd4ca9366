"""What is shown of a log harms no terminal and no reader, and says what is missing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.api.log_lines import LogEntry, Missing, Printed, Restarted
from chef_supervisor.api.log_text import LogView, frame_of, text_of
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.job_log import LogPosition

HERE = LogPosition(1, 9)
PLAIN, COLOUR = LogView(), LogView(ansi=True)
KEY = "ab" * 32


def lines(content: bytes, step: str = "build") -> Printed:
    return Printed(step=step, content=content, position=HERE)


@pytest.mark.parametrize(
    ("printed", "plain", "coloured"),
    [
        (b"\x1b[31mred\x1b[0m\n", "red\n", "\x1b[31mred\x1b[0m\n"),
        (b"\x1b[38;5;208morange\x1b[m\n", "orange\n", "\x1b[38;5;208morange\x1b[m\n"),
        (b"\x1b]52;c;c2VjcmV0\x07stolen\n", "stolen\n", "stolen\n"),
        (b"\x1b]0;title\x1b\\text\n", "text\n", "text\n"),
        (b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\n", "link\n", "link\n"),
        (b"\x1b[2J\x1b[1;1Hclear\n", "clear\n", "clear\n"),
        (b"\x1b[6n\x1b[c\x1b[5i\n", "\n", "\n"),
        (b"\x1b]0;\x1b[31mnested\x07\n", "nested\n", "\x1b[31mnested\n"),
        (b"\x1b\x1b[31m[2J\n", "[2J\n", "\x1b[31m[2J\n"),
        (b"\x1bP$q\x1b\\device\n", "device\n", "device\n"),
        ("\x9b2J\x9d0;t\x9cc1\n".encode(), "c1\n", "c1\n"),
        (b"10%\r20%\r30%\n", "30%\n", "10%\r20%\r30%\n"),
        (b"dos\r\n", "dos\n", "dos\r\n"),
        (b"\x08\x7f\x00bell\x07\n", "bell\n", "bell\n"),
        (b"\xff\xfe\n", "\\xff\\xfe\n", "\\xff\\xfe\n"),
        ("\u202egnp.exe\n".encode(), "gnp.exe\n", "gnp.exe\n"),
        (f"/workspace/src/a.ts /deps/{KEY}/x\n".encode(), "src/a.ts x\n", "src/a.ts x\n"),
        (b"\x1b[36m/workspace/\x1b[0msrc\n", "src\n", "\x1b[36m\x1b[0msrc\n"),
    ],
)
def test_only_what_is_harmless_is_shown(printed: bytes, plain: str, coloured: str) -> None:
    assert (PLAIN.show(printed), COLOUR.show(printed)) == (plain, coloured)


@given(st.lists(st.sampled_from([b"\x1b", b"[", b"]", b"31m", b"0;", b"\x07", b"\\", b"P", b"\xc2\x9b", b"2J", b"x"])))
def test_a_terminal_is_told_nothing_but_colours(parts: list[bytes]) -> None:
    shown = COLOUR.show(b"".join(parts))

    for code in shown.split("\x1b")[1:]:
        assert code.startswith("[")
        assert code[1:].lstrip("0123456789;:").startswith("m")
    assert "\x9b" not in shown
    assert "\x07" not in shown


def test_the_text_says_what_is_missing_on_lines_of_its_own() -> None:
    told: list[LogEntry] = [
        lines(b"one\ntw"),
        Missing(dropped_bytes=70, position=HERE),
        lines(b"ree\n"),
        lines(b"test", "test"),
        Restarted(position=HERE),
    ]

    assert text_of(told, PLAIN) == "one\ntw\n[70 bytes are left out here]\nree\ntest\n[the job runs again]\n"


def test_a_colour_ends_before_what_is_ours() -> None:
    told: list[LogEntry] = [lines(b"\x1b[31mred"), Missing(dropped_bytes=7, position=HERE), lines(b"\x1b[32mgreen\n")]

    shown = text_of(told, COLOUR)

    assert shown == "\x1b[31mred\x1b[0m\n[7 bytes are left out here]\n\x1b[32mgreen\n\x1b[0m"


def test_of_one_step_only_its_own_lines_are_shown() -> None:
    told: list[LogEntry] = [lines(b"a\n", "build"), lines(b"b\n", "test"), lines(b"c\n", "build")]

    assert text_of(told, LogView(step="build")) == "a\nc\n"
    assert text_of(told, LogView(step="none")) == ""


def event(frame: bytes) -> tuple[str, str, dict[str, object]]:
    fields = dict(line.split(": ", 1) for line in frame.decode().rstrip().splitlines())
    return fields["event"], fields["id"], json.loads(fields["data"])


def test_each_entry_is_an_event_with_its_place() -> None:
    assert event(frame_of(lines(b"a\nb"), HERE, PLAIN)) == ("output", "1-9", {"step": "build", "text": "a\nb"})
    assert event(frame_of(Missing(dropped_bytes=7, position=HERE), HERE, PLAIN)) == ("gap", "1-9", {"droppedBytes": 7})
    again = Restarted(position=LogPosition(2, 0))
    assert event(frame_of(again, HERE, PLAIN)) == ("restart", "2-0", {"run": 2})
    assert event(frame_of(JobStatus.FAILED, HERE, PLAIN)) == ("end", "1-9", {"status": "failed"})


def test_what_nobody_asked_for_moves_the_place_and_says_nothing() -> None:
    assert frame_of(lines(b"a\n"), HERE, LogView(step="test")) == b"id: 1-9\n\n"
    assert frame_of(None, HERE, PLAIN) == b": heartbeat\nid: 1-9\n\n"
