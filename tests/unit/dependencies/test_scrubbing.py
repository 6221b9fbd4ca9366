"""Secrets are taken out of everything that an install says, wherever its chunks are cut."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.dependencies.scrubbing import scrubbed, without_key
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    EndedBy,
    LiveOutput,
    StepEnded,
    StepOutput,
    StepStarted,
    StepTail,
)
from chef_supervisor.sealing import Scrubber
from tests.kit.virtual_time import run

TOKEN = 'npm_t0ken/+"é$ecret'
SCRUBBER = Scrubber([TOKEN])
ENDED = StepEnded(index=0, exit_code=0, ended_by=EndedBy.EXIT, ms=1)
END = BoxEnded(complete=True, ended_by=EndedBy.EXIT)


def heard(*events: BoxEvent) -> list[BoxEvent]:
    async def all_of() -> list[BoxEvent]:
        return [event async for event in scrubbed(_each(events), SCRUBBER)]

    return run(all_of())


async def _each(events: tuple[BoxEvent, ...]) -> AsyncIterator[BoxEvent]:
    for event in events:
        yield event


def printed(events: list[BoxEvent]) -> bytes:
    return b"".join(event.chunk for event in events if isinstance(event, StepOutput | LiveOutput | StepTail))


@pytest.mark.parametrize("before", ["", "u", "us", "use"])
def test_a_secret_is_masked_in_every_form_in_which_tools_print_it(before: str) -> None:
    text = f"{before}:{TOKEN}"
    forms = [
        text,
        base64.b64encode(text.encode()).decode(),
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
        quote(text, safe=""),
        quote(text, safe="")
        .replace("%2F", "%2f")
        .replace("%2B", "%2b")
        .replace("%22", "%22")
        .replace("%C3%A9", "%c3%a9"),
        json.dumps(text),
    ]

    for form in forms:
        masked = SCRUBBER.scrub(f"<{form}>".encode())
        assert b"***" in masked, form
        assert b"t0ken" not in masked
        # All but what the last bits share with what follows.
        assert len(masked) <= len(before) * 3 + 16


@given(st.lists(st.integers(1, 40)), st.binary(max_size=30), st.binary(max_size=30))
def test_it_is_masked_wherever_the_output_is_cut(sizes: list[int], before: bytes, after: bytes) -> None:
    text = before + TOKEN.encode() + b" " + TOKEN.encode() + after
    chunks, rest = [], text
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    outputs = [StepOutput(0, chunk) for chunk in (*chunks, rest) if chunk]

    told = printed(heard(StepStarted(0), *outputs, ENDED, END))

    assert TOKEN.encode() not in told
    assert told.count(b"***") >= 2


@pytest.mark.parametrize("cut", range(4, len(TOKEN.encode()) - 4))
def test_neither_half_of_a_secret_stays_where_the_head_ends_or_the_tail_begins(cut: int) -> None:
    token = TOKEN.encode()

    told = printed(
        heard(StepStarted(0), StepOutput(0, b"a " + token[:cut]), StepTail(0, token[cut:] + b" z"), ENDED, END)
    )

    assert told == b"a ****** z"


def test_what_is_told_live_is_left_out_and_all_else_is_told_in_its_order() -> None:
    events = heard(StepStarted(0), StepOutput(0, b"head"), LiveOutput(0, b"live"), StepTail(0, b"tail"), ENDED, END)

    assert printed(events) == b"headtail"
    assert [type(event) for event in events] == [StepStarted, StepOutput, StepTail, StepEnded, BoxEnded]


def test_a_lock_file_is_handed_back_without_the_secret_and_with_its_own_digest() -> None:
    content = f"registry=https://user:{TOKEN}@there\n".encode()
    whole = Artifact(path="lock", bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    [event] = heard(
        ArtifactData(path="lock", chunk=content[:30]), ArtifactData(path="lock", chunk=content[30:], whole=whole)
    )

    assert isinstance(event, ArtifactData)
    assert event.chunk == b"registry=https://user:***@there\n"
    assert event.whole == Artifact(path="lock", bytes=32, sha256=hashlib.sha256(event.chunk).hexdigest())


def test_a_warning_is_masked() -> None:
    [event] = heard(BoxEnded(complete=True, ended_by=EndedBy.EXIT, warnings=(f"cannot use {TOKEN}",)))

    assert isinstance(event, BoxEnded)
    assert event.warnings == ("cannot use ***",)


PASSWORD = "p@ss/w0rd+1"


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("https://user:one@t0ken@npm.example/simple", "one@t0ken"),
        (f"https://user:{quote(PASSWORD, safe='')}@npm.example/simple", PASSWORD),
        (f"mine=https://user:{quote(PASSWORD, safe='')}@npm.example/simple other=https://b", PASSWORD),
        ("https://glpat-0123@npm.example/", "glpat-0123"),
        ("https://glpat-0123:@npm.example/", "glpat-0123"),
        ("https://github_pat_0123456789:x-oauth-basic@npm.example/", "github_pat_0123456789"),
        (
            "https://a.example/simple\nhttps://user:one-t0ken@b.example/simple",
            "https://user:one-t0ken@b.example/simple",
        ),
        ("/wheels,https://user:one-t0ken@b.example/wheels", "https://user:one-t0ken@b.example/wheels"),
        (base64.b64encode(PASSWORD.encode()).decode(), PASSWORD),
        (base64.b64encode(f"user:{PASSWORD}".encode()).decode(), PASSWORD),
    ],
)
def test_a_secret_inside_a_value_is_masked_where_it_stands_alone(value: str, secret: str) -> None:
    scrubber = Scrubber([value])
    header = base64.b64encode(f"user:{secret}".encode())

    told = scrubber.scrub(b" ".join((value.encode(), secret.encode(), quote(secret, safe="").encode(), header)))

    assert secret.encode() not in told
    assert quote(secret, safe="").encode() not in told
    assert header[8:-4] not in told


def test_the_name_beside_a_password_is_left() -> None:
    assert Scrubber(["https://user:one-t0ken@b.example/"]).scrub(b"user one-t0ken") == b"user ***"


@given(
    st.lists(st.text("ab/:@", min_size=4, max_size=12), min_size=1, max_size=4),
    st.integers(0, 40),
    st.integers(0, 40),
    st.text("ab/:@", max_size=40),
)
def test_no_end_of_what_was_cut_has_a_part_of_a_secret(values: list[str], start: int, size: int, text: str) -> None:
    scrubber = Scrubber(values)
    whole = (text + "".join(values) + text).encode()

    told = scrubber.scrub_cut(whole[start : start + size])

    for value in map(str.encode, values):
        beginnings = {value[:end] for end in range(4, len(value))}
        assert not told.endswith(tuple(beginnings))
        assert not told.startswith(tuple(value[-end:] for end in range(4, len(value))))


def test_a_part_of_a_secret_is_found_behind_what_only_looks_like_one() -> None:
    scrubber = Scrubber(["abab-secret-tete"])

    assert scrubber.scrub_cut(b"tete--tete--") == b"***--tete--"
    assert scrubber.scrub_cut(b"--abab--abab") == b"--abab--***"


def test_many_secrets_in_much_output_are_masked_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []

    async def in_a_thread(work: Callable[..., object], *args: object) -> object:
        used.append(args[0])
        return work(*args)

    monkeypatch.setattr(asyncio, "to_thread", in_a_thread)
    little, much = StepOutput(0, b"a"), StepOutput(0, b"a" * 5000)

    heard(StepStarted(0), little, much, ENDED, END)

    assert used == [much]


def test_what_is_too_short_for_a_secret_is_left() -> None:
    assert Scrubber(["abc", ""]).scrub(b"abc") == b"abc"


def test_the_place_of_dependencies_is_told_without_its_key() -> None:
    key = "a" * 40

    async def all_of() -> list[BoxEvent]:
        events = without_key(_each((StepOutput(0, f"/deps/{key}/x /deps/{key}".encode()),)), key)
        return [event async for event in events]

    assert run(all_of()) == [StepOutput(0, b"/deps/x /deps")]
