"""However a log was cut into pieces: its readers get whole lines, every byte once, and are told of what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.api.log_lines import LogEntry, LogLines, Missing, Printed, Restarted
from chef_supervisor.domain.job_log import LogPiece, LogPosition

TEXT = "zwölf 日本語 🎉 \x1b[31mred\x1b[0m\n".encode() * 8 + b"no end"


def piece(end: int, content: bytes, run: int = 1, step: str = "build") -> LogPiece:
    return LogPiece(run=run, step=step, end=end, content=content)


def entries(*pieces: LogPiece, after: LogPosition = LogPosition()) -> list[LogEntry]:  # noqa: B008  (frozen)
    lines = LogLines(after)
    return [entry for one in pieces for entry in lines.feed(one)] + list(lines.flush())


def printed(found: list[LogEntry]) -> bytes:
    return b"".join(entry.content for entry in found if isinstance(entry, Printed))


def cut(content: bytes, size: int) -> list[LogPiece]:
    return [piece(min(at + size, len(content)), content[at : at + size]) for at in range(0, len(content), size)]


@given(st.integers(1, 100))
def test_lines_come_whole_however_they_were_cut(size: int) -> None:
    found = entries(*cut(TEXT, size))

    assert printed(found) == TEXT
    assert all(entry.content.endswith(b"\n") for entry in found[:-1] if isinstance(entry, Printed))


@given(st.integers(1, 100), st.data())
def test_who_resumes_where_it_was_misses_nothing_and_gets_nothing_twice(size: int, data: st.DataObject) -> None:
    pieces = cut(TEXT, size)
    first = entries(*pieces[: data.draw(st.integers(1, len(pieces)))])
    after = first[data.draw(st.integers(0, len(first) - 1))].position

    rest = entries(*(one for one in pieces if one.end > after.at), after=after)

    assert TEXT[: after.at] + printed(rest) == TEXT


def test_a_gap_is_told_where_it_is_and_the_line_before_it_is_not_held_back() -> None:
    found = entries(piece(3, b"abc"), piece(10, b"xyz\n"))

    assert found == [
        Printed(step="build", content=b"abc", position=LogPosition(1, 3)),
        Missing(dropped_bytes=3, position=LogPosition(1, 6)),
        Printed(step="build", content=b"xyz\n", position=LogPosition(1, 10)),
    ]


def test_a_beginning_that_is_missing_is_a_gap_too() -> None:
    assert entries(piece(10, b"xyz"))[0] == Missing(dropped_bytes=7, position=LogPosition(1, 7))


def test_the_next_step_begins_on_a_line_of_its_own() -> None:
    found = entries(piece(3, b"abc"), piece(6, b"xyz", step="test"))

    assert [entry.step for entry in found if isinstance(entry, Printed)] == ["build", "test"]


def test_who_followed_an_earlier_run_is_told_of_the_new_one() -> None:
    found = entries(piece(3, b"abc", run=2), after=LogPosition(1, 5000))

    assert found == [
        Restarted(position=LogPosition(2, 0)),
        Printed(step="build", content=b"abc", position=LogPosition(2, 3)),
    ]


def test_what_was_held_of_the_run_before_comes_first() -> None:
    assert [type(entry) for entry in entries(piece(3, b"abc"), piece(3, b"xyz", run=2))] == [
        Printed,
        Restarted,
        Printed,
    ]


def test_who_begins_with_a_later_run_is_told_of_no_other() -> None:
    assert [type(entry) for entry in entries(piece(3, b"abc", run=4))] == [Printed]


@pytest.mark.parametrize("line", ["x" * 100_000, "日" * 40_000, "word " * 20_000, "\x1b[31mx" * 20_000])
def test_a_line_without_end_is_cut_between_words_or_characters_and_codes(line: str) -> None:
    content = line.encode()

    found = entries(*cut(content, 1000))

    assert printed(found) == content
    parts = [entry.content for entry in found if isinstance(entry, Printed)]
    assert max(map(len, parts)) <= 8192
    assert "".join(part.decode() for part in parts) == line
    assert all(part.startswith((b"\x1b[31m", b"x")) for part in parts if b"\x1b" in part)


def test_many_lines_come_in_bounded_portions() -> None:
    content = b"a line\n" * 10_000

    parts = [entry.content for entry in entries(piece(len(content), content)) if isinstance(entry, Printed)]

    assert b"".join(parts) == content
    assert max(map(len, parts)) <= 16_384
