"""What steps print, followed over broken connections without losing or repeating anything."""

from __future__ import annotations

import itertools
import json
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.client import (
    BadAnswer,
    Client,
    LogEnd,
    LogEvent,
    LogGap,
    LogText,
    NotFound,
    Unavailable,
    Unreachable,
)
from chef_supervisor.client.sse import EventParser
from tests.kit.fake_service import JOB_ID, FakeService, Stream, problem
from tests.kit.virtual_time import now_s, virtual

END = b'id: 9-0\nevent: end\ndata: {"status":"completed"}\n\n'


def output(position: str, text: str) -> bytes:
    return f"id: {position}\nevent: output\ndata: {json.dumps({'step': 'test', 'text': text})}\n\n".encode()


def streamed(*pieces: bytes, breaks: bool = False) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream(pieces, breaks))


async def followed(client: Client) -> list[LogEvent]:
    async with aclosing(client.follow(JOB_ID)) as events:
        return [event async for event in events]


def text(said: str) -> LogText:
    return LogText(step="test", text=said)


@virtual
async def test_text_comes_as_it_is_printed_until_the_end() -> None:
    service = FakeService(
        [streamed(b"retry: 1000\n\n: still here\n\n", output("1-0", "a\u2028b\n"), END, output("10-0", "c"))]
    )

    async with service.client() as client:
        assert await followed(client) == [text("a\u2028b\n"), LogEnd("completed")]

    [request] = service.heard
    assert request.headers["accept"] == "text/event-stream"
    assert "last-event-id" not in request.headers


@virtual
async def test_a_broken_connection_is_taken_up_where_it_broke() -> None:
    # The second event is cut after its id: it was not told, and must come again.
    first = streamed(output("1-0", "one"), output("2-0", "two")[:20], breaks=True)
    service = FakeService([first, httpx.ConnectError("refused"), streamed(output("2-0", "two")), streamed(END)])

    async with service.client() as client:
        assert await followed(client) == [text("one"), text("two"), LogEnd("completed")]

    assert [request.headers.get("last-event-id") for request in service.heard] == [None, "1-0", "1-0", "2-0"]


@virtual
async def test_what_is_missing_is_told() -> None:
    async with FakeService(
        [streamed(b"event: gap\ndata: {}\n\n", b"event: news\ndata: 1\n\n", END)]
    ).client() as client:
        assert await followed(client) == [LogGap(), LogEnd("completed")]


@virtual
async def test_patience_begins_anew_with_everything_that_comes() -> None:
    pieces = [streamed(output(f"{n}-0", str(n)), breaks=True) for n in range(1, 50)]

    async with FakeService([*pieces, streamed(END)]).client(patience_s=1) as client:
        assert len(await followed(client)) == 50


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([problem(404, "not_found")], NotFound),
        ([httpx.ConnectError("refused")], Unreachable),
        ([problem(503, "too_many_readers")], Unavailable),
        ([streamed()], Unreachable),
        ([streamed(b"event: output\ndata: {\n\n")], BadAnswer),
        ([streamed(b"event: end\ndata: []\n\n")], BadAnswer),
    ],
    ids=["unknown job", "nobody there", "too many readers", "nothing in it", "no JSON", "another shape"],
)
@virtual
async def test_a_stream_that_cannot_be_read_is_an_error_in_the_end(answers: list[Any], error: type[Exception]) -> None:
    async with FakeService(answers).client(patience_s=10) as client:
        with pytest.raises(error):
            await followed(client)

    assert now_s() <= 10


@given(cuts=st.lists(st.integers(0, 200)), newline=st.sampled_from([b"\n", b"\r\n"]))
def test_events_are_the_same_however_they_are_cut(cuts: list[int], newline: bytes) -> None:
    said = (
        ": hello\n\nid: 1\nevent: a\ndata: x\ndata: \u00e9\n\nid: 2\n\ndata:y\nother: z\n\nid: 3\nevent: b\n".encode()
    )
    stream = said.replace(b"\n", newline)
    parser = EventParser("0")
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})

    events = [event for a, b in itertools.pairwise(places) for event in parser.feed(stream[a:b])]

    assert [(event.id, event.name, event.data) for event in events] == [("1", "a", "x\n\u00e9"), ("2", "message", "y")]
    assert parser.last_id == "2"
