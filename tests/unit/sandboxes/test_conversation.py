"""The conversation with a box that lies, stops, or never answers: always one BoxEnded, never an error of ours."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.domain.errors import Bug, SandboxUnavailable
from chef_supervisor.domain.work import BoxEnded, EndedBy, Step, StepStarted, Work
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.conversation import Conversation

pytestmark = pytest.mark.asyncio

WORK = Work(files={"a": bytes(1 << 20)}, steps=(Step(name="s", argv=("true",), timeout_s=1),), timeout_s=0.01)
STARTED = frames.pack(frames.STARTED, frames.INDEX.pack(0))
ENDED = frames.pack(frames.ENDED, b'{"index": 0, "exit_code": 0, "ended_by": "exit", "ms": 1, "dropped_bytes": 0}')
VERDICT = frames.pack(frames.VERDICT, b'{"ended_by": "exit", "warnings": []}')


class Scripted:
    """A line that says what it was given; then it ends, or says nothing more."""

    def __init__(self, *chunks: bytes, ends: bool = True, takes: bool = True) -> None:
        self._chunks = list(chunks)
        self._ends = ends
        self._takes = takes
        self.taken = bytearray()

    async def read(self) -> bytes:
        if self._chunks:
            return self._chunks.pop(0)
        if not self._ends:
            await asyncio.Event().wait()
        return b""

    async def write(self, chunk: bytes) -> None:
        if not self._takes:
            raise BrokenPipeError
        self.taken += chunk


async def killed() -> EndedBy:
    return EndedBy.KILLED


async def engine_is_gone() -> EndedBy:
    raise SandboxUnavailable("gone")


async def heard(line: Scripted) -> list[object]:
    conversation = Conversation(line, killed, grace_s=0.01)
    return [event async for event in conversation.run(WORK, {})]


async def test_the_verdict_is_the_last_event_whatever_follows_it() -> None:
    events = await heard(Scripted(STARTED + ENDED + VERDICT + STARTED, STARTED, ends=False))

    assert events[-1] == BoxEnded(complete=True, ended_by=EndedBy.EXIT)
    assert events[0] == StepStarted(0)


@pytest.mark.parametrize(
    "noise", [b"\xff" * 100, frames.HEADER.pack(frames.OUTPUT, 0xFFFFFFFF), STARTED * 2, VERDICT.replace(b"[]", b"-]")]
)
async def test_nonsense_ends_the_box_as_incomplete(noise: bytes) -> None:
    events = await heard(Scripted(noise))

    assert events[-1] == BoxEnded(complete=False, ended_by=EndedBy.KILLED, warnings=("the box broke its protocol",))


async def test_an_end_without_a_verdict_is_incomplete() -> None:
    assert await heard(Scripted(STARTED)) == [StepStarted(0), BoxEnded(complete=False, ended_by=EndedBy.KILLED)]


async def test_a_frame_cut_short_is_incomplete() -> None:
    assert await heard(Scripted(VERDICT[:-1])) == [BoxEnded(complete=False, ended_by=EndedBy.KILLED)]


async def test_silence_past_the_time_is_a_timeout() -> None:
    assert await heard(Scripted(ends=False)) == [BoxEnded(complete=False, ended_by=EndedBy.TIMEOUT)]


async def test_silence_past_the_time_is_the_engines_where_that_is_silent_too() -> None:
    async def answers() -> None:
        asked.append("answers")

    async def is_silent() -> None:
        raise SandboxUnavailable("silent")

    asked: list[str] = []
    silent = Conversation(Scripted(ends=False), killed, 0.01, is_silent)
    well = Conversation(Scripted(ends=False), killed, 0.01, answers)

    with pytest.raises(SandboxUnavailable, match="silent"):
        await anext(silent.run(WORK, {}))
    assert await anext(well.run(WORK, {})) == BoxEnded(complete=False, ended_by=EndedBy.TIMEOUT)
    assert asked == ["answers"]


async def test_a_box_that_takes_nothing_may_still_give_its_verdict() -> None:
    assert await heard(Scripted(VERDICT, takes=False)) == [BoxEnded(complete=True, ended_by=EndedBy.EXIT)]


async def test_trouble_of_the_engine_is_no_end_of_the_box() -> None:
    conversation = Conversation(Scripted(), engine_is_gone, grace_s=1)

    with pytest.raises(SandboxUnavailable):
        await anext(conversation.run(WORK, {}))


async def test_work_is_given_once() -> None:
    conversation = Conversation(Scripted(VERDICT), killed, grace_s=1)
    assert [event async for event in conversation.run(WORK, {})]

    with pytest.raises(Bug):
        await anext(conversation.run(WORK, {}))


@pytest.mark.parametrize(
    ("said", "is_hello"),
    [
        (frames.pack(frames.HELLO, b"{}"), True),
        (b"", False),
        (VERDICT, False),
        (frames.HEADER.pack(frames.HELLO, 1 << 30), False),
        (b"sh: python3: not found\n", False),
    ],
)
async def test_only_a_hello_is_a_hello(said: bytes, *, is_hello: bool) -> None:
    assert await Conversation(Scripted(said), killed, grace_s=1).hello() is is_hello
