"""Logs over HTTP: read as a text, followed as they grow, resumed exactly, bounded in speed and memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.api.running_jobs import Running, a_running_job
from tests.integration.api.server_kit import PATIENCE_S, Sent, Serving, events_of, serving, some
from tests.unit.api.api_kit import assert_problem

pytestmark = pytest.mark.asyncio
SSE = {"Accept": "text/event-stream"}
KIB = 1 << 10


async def all_of(events: AsyncIterator[Sent]) -> list[Sent]:
    """Returns: the events up to the end of the stream."""
    async with asyncio.timeout(PATIENCE_S):
        return [event async for event in events]


def text_in(events: list[Sent]) -> str:
    return "".join(event.content["text"] for event in events if event.name == "output")


async def test_a_log_is_a_text(served: Serving) -> None:
    job = await a_running_job(served)
    await job.print("$ make\n\x1b[31mred\x1b[0m\n")
    await job.print("unfinished", skipping=100)
    await job.print("$ test\n", step="test")

    plain, coloured = await served.client.get(job.url), await served.client.get(job.url, params={"ansi": 1})
    one = await served.client.get(job.url, params={"step": "test"})

    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert plain.text == "$ make\nred\n[100 bytes are left out here]\nunfinished\n$ test\n"
    assert coloured.text.startswith("$ make\n\x1b[31mred\x1b[0m\n")
    assert one.text == "[100 bytes are left out here]\n$ test\n"


async def test_a_job_that_waits_has_an_empty_log(served: Serving) -> None:
    job_id = await served.api.posted()

    answer = await served.client.get(f"/api/jobs/{job_id}/logs")

    assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize("headers", [{}, SSE])
async def test_of_an_unknown_job_there_is_no_log(served: Serving, headers: dict[str, str]) -> None:
    answer = await served.client.get("/api/jobs/builds.0_" + "a" * 26 + "/logs", headers=headers)

    assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    "asked",
    [
        {"params": {"ansi": "yes"}},
        {"params": {"after": "x"}},
        {"params": {"after": "1-"}},
        {"params": {"after": "1-9999999999999999"}},
        {"headers": {"Last-Event-ID": "builds:1-0"}},
        {"params": {"tail": "5"}},
    ],
)
async def test_what_cannot_be_asked_is_refused(served: Serving, asked: dict[str, Any]) -> None:
    job_id = await served.api.posted()

    answer = await served.client.get(f"/api/jobs/{job_id}/logs", **asked)

    assert_problem(answer, 422, answer.json()["code"])


async def test_a_log_is_followed_from_before_the_job_runs_to_its_end(served: Serving) -> None:
    job_id = await served.api.posted()
    async with served.client.stream("GET", f"/api/jobs/{job_id}/logs", headers=SSE) as response:
        events = events_of(response)
        job = Running(served, await served.api.claim())
        await job.print("$ make\n")
        [first] = await some(events, 1)
        await job.print("made\n", step="test", skipping=10)
        second = await some(events, 2)
        await job.print("the last words")
        await job.finish()
        rest = await all_of(events)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert (first.name, first.cursor, first.content) == ("output", "1-7", {"step": "build", "text": "$ make\n"})
    assert [(event.name, event.cursor, event.content) for event in second] == [
        ("gap", "1-17", {"droppedBytes": 10}),
        ("output", "1-22", {"step": "test", "text": "made\n"}),
    ]
    assert [(event.name, event.content) for event in rest] == [
        ("output", {"step": "build", "text": "the last words"}),
        ("end", {"status": "completed"}),
    ]


@pytest.mark.parametrize("way", ["header", "parameter"])
async def test_who_resumes_gets_the_rest_and_nothing_twice(served: Serving, way: str) -> None:
    job = await a_running_job(served)
    for n in range(100):
        await job.print(f"line {n}\n")
    async with served.client.stream("GET", job.url, headers=SSE) as response:
        seen = await some(events_of(response), 30)
    for n in range(100, 120):
        await job.print(f"line {n}\n")
    await job.finish()

    headers = SSE | ({"Last-Event-ID": seen[-1].cursor} if way == "header" else {})
    params = {"after": seen[-1].cursor} if way == "parameter" else {}
    async with served.client.stream("GET", job.url, headers=headers, params=params) as response:
        rest = await all_of(events_of(response))

    assert text_in([*seen, *rest]) == "".join(f"line {n}\n" for n in range(120))


async def test_who_comes_after_the_end_gets_all_and_the_end(served: Serving) -> None:
    job = await a_running_job(served)
    await job.print("all\n")
    await job.finish()

    async with served.client.stream("GET", job.url, headers=SSE) as response:
        events = await all_of(events_of(response))
    async with served.client.stream("GET", job.url, headers=SSE | {"Last-Event-ID": events[-1].cursor}) as response:
        again = await all_of(events_of(response))

    assert [event.name for event in events] == ["output", "end"]
    assert [event.name for event in again] == ["end"]


async def test_a_run_that_begins_anew_is_told_and_followed(served: Serving) -> None:
    job = await a_running_job(served)
    await job.print("the first run\n")
    async with served.client.stream("GET", job.url, headers=SSE) as response:
        events = events_of(response)
        await some(events, 1)
        await served.api.store.release(job.job_id, job.claim.fence)
        again = Running(served, await served.api.claim())
        await again.print("the second run\n")
        await again.finish()
        rest = await all_of(events)

    assert [(event.name, event.content) for event in rest] == [
        ("restart", {"run": 2}),
        ("output", {"step": "build", "text": "the second run\n"}),
        ("end", {"status": "completed"}),
    ]


async def test_of_one_step_only_its_own_output_comes_and_the_place_moves_on(served: Serving) -> None:
    job = await a_running_job(served)
    await job.print("other\n")
    await job.print("mine\n", step="test")
    await job.finish()

    async with served.client.stream("GET", job.url, headers=SSE, params={"step": "test"}) as response:
        events = await all_of(events_of(response))

    assert [(event.name, event.cursor) for event in events] == [("output", "1-11"), ("end", "1-11")]


async def test_a_reader_of_a_running_job_gets_at_most_64_kib_a_second(served: Serving) -> None:
    job = await a_running_job(served)
    for _ in range(8):
        await job.print(("y" * 127 + "\n") * 256)
    loop = asyncio.get_running_loop()
    began, received = loop.time(), 0
    async with served.client.stream("GET", job.url, headers=SSE) as response:
        async for event in events_of(response):
            received += len(event.content["text"])
            if received >= 160 * KIB:
                break
        took_s = loop.time() - began
        await job.finish()

    # A quarter of a second's worth comes at once, and the last portion before it is paid for.
    assert received <= 64 * KIB * (took_s + 0.25) + 17 * KIB


async def test_the_log_of_a_job_that_is_over_comes_at_once(served: Serving) -> None:
    job = await a_running_job(served)
    for _ in range(32):
        await job.print(("y" * 127 + "\n") * 256)
    await job.finish()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async with served.client.stream("GET", job.url, headers=SSE) as response:
        events = await all_of(events_of(response))

    assert len(text_in(events)) == 1024 * KIB
    # At the pace of a running job it would be 16 s.
    assert loop.time() - began < PATIENCE_S


async def test_a_reader_that_is_too_slow_finds_a_gap_where_the_log_was_trimmed(served: Serving) -> None:
    job = await a_running_job(served)
    await job.print("first\n")
    async with served.client.stream("GET", job.url, headers=SSE) as response:
        events = events_of(response)
        await some(events, 1)
        served.api.store.away = True
        rest = await all_of(events)
        served.api.store.away = False
    await job.print("lost\n")
    await job.print("last\n")
    del served.api.store.logs[job.job_id][1]
    await job.finish()

    async with served.client.stream("GET", job.url, headers=SSE | {"Last-Event-ID": "1-6"}) as response:
        resumed = await all_of(events_of(response))

    # While the store was away the stream ended; a browser comes back by itself.
    assert rest == []
    assert [(event.name, event.content) for event in resumed] == [
        ("gap", {"droppedBytes": 5}),
        ("output", {"step": "build", "text": "last\n"}),
        ("end", {"status": "completed"}),
    ]


async def test_readers_are_bounded_and_their_places_are_given_back() -> None:
    async with serving(max_event_readers=1) as served:
        job = await a_running_job(served)
        await job.print("x\n")
        async with served.client.stream("GET", job.url, headers=SSE) as first:
            await some(events_of(first), 1)

            assert_problem(await served.client.get(job.url, headers=SSE), 503, "too_many_readers")
            assert (await served.client.get(job.url)).text == "x\n"
        await served.readers(0)
        await job.finish()

        assert (await served.client.get(job.url, headers=SSE)).status_code == 200


async def test_head_is_answered_with_the_headers_alone(served: Serving) -> None:
    job = await a_running_job(served)

    answer = await served.client.head(job.url, headers=SSE)

    assert answer.headers["content-type"].startswith("text/event-stream")
