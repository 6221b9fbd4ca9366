"""Waiting for a job's end, whatever the service does meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from chef_supervisor.client import Job, NotFound, StillRunning
from tests.kit.fake_service import JOB_ID, FakeService, a_job, found, problem
from tests.kit.virtual_time import now_s, virtual

DONE = a_job("completed", progress=100, result=found("passed"), finishedAt="2026-11-23T13:31:56.422Z")


class Polled(FakeService):
    """Holds a `?wait=` for as long as it asks, as the service does, unless the job is over."""

    async def answer(self, request: httpx.Request) -> httpx.Response:
        answer = await super().answer(request)
        if answer.status_code == 200 and (await answer.aread()) and answer.json().get("status") == "processing":
            await asyncio.sleep(float(request.url.params.get("wait", "0")))
        return answer


def waits(service: FakeService) -> list[float]:
    return [float(request.url.params["wait"]) for request in service.heard]


@virtual
async def test_the_end_is_waited_for_by_long_polls() -> None:
    service = Polled([a_job("processing"), a_job("processing"), DONE])

    async with service.client() as client:
        job = await client.wait(JOB_ID)

    assert (job.over, job.passed, job.result and job.result.verdict) == (True, True, "passed")
    assert len(service.heard) == 3
    # Less than the service would take.
    assert all(10 <= wait <= 30 for wait in waits(service))


@virtual
async def test_a_service_that_answers_at_once_is_not_asked_without_end() -> None:
    service = FakeService([*[a_job("processing")] * 10, DONE])

    async with service.client() as client:
        await client.wait(JOB_ID)

    assert now_s() == 10


@virtual
async def test_a_restart_of_the_service_is_waited_for_too() -> None:
    gone = [httpx.ConnectError("refused")] * 5
    service = Polled([a_job("processing"), *gone, problem(503, "store_unavailable"), a_job("processing"), *gone, DONE])

    async with service.client(patience_s=30) as client:
        assert (await client.wait(JOB_ID)).over


@virtual
async def test_a_job_that_is_not_over_in_time_goes_on() -> None:
    service = Polled([a_job("processing", progress=50)])

    async with service.client() as client:
        with pytest.raises(StillRunning, match=r"is not over yet.*processing.*can be waited for again"):
            await client.wait(JOB_ID, timeout_s=45)

    assert now_s() == 45


@virtual
async def test_the_time_to_wait_holds_also_while_nobody_answers() -> None:
    async with FakeService([httpx.ConnectError("refused")]).client(patience_s=600) as client:
        with pytest.raises(StillRunning):
            await client.wait(JOB_ID, timeout_s=3)

    assert now_s() == 3


@virtual
async def test_changes_are_told_as_they_come_and_once() -> None:
    states: list[dict[str, Any]] = [a_job(), a_job(), a_job("processing"), a_job("processing", progress=50)]
    seen: list[Job] = []

    async with FakeService([*states, DONE]).client() as client:
        await client.wait(JOB_ID, on_change=seen.append)

    assert [(job.status, job.progress) for job in seen] == [
        ("pending", 0),
        ("processing", 0),
        ("processing", 50),
        ("completed", 100),
    ]
    assert now_s() <= 5


@virtual
async def test_a_job_that_was_forgotten_has_no_end() -> None:
    async with FakeService([a_job("processing"), problem(404, "not_found")]).client() as client:
        with pytest.raises(NotFound):
            await client.wait(JOB_ID)


@pytest.mark.parametrize(
    ("job", "passed"),
    [
        (a_job("completed", result=found("passed")), True),
        (a_job("completed", result=found("skipped", "no_tests")), True),
        (a_job("completed", result=found("failed", "exit")), False),
        (a_job("failed", result=found("failed", "exit")), False),
        (a_job("timeout", result=found("failed", "timeout")), False),
        (a_job("cancelled", result=found("skipped", "cancelled")), False),
    ],
)
@virtual
async def test_an_end_is_good_where_the_job_passed_or_had_nothing_to_do(job: dict[str, Any], passed: bool) -> None:
    async with FakeService([job]).client() as client:
        assert (await client.wait(JOB_ID)).passed is passed
