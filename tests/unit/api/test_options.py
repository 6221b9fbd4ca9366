from __future__ import annotations

from typing import Any

import pytest

from chef_supervisor.domain.job import JobOptions
from chef_supervisor.domain.retry import Backoff, BackoffKind
from tests.unit.api.api_kit import Api

_WEEK_MS = 7 * 86_400_000


async def _stored(api: Api, **fields: Any) -> JobOptions:
    return api.store.jobs[await api.posted(**fields)].job.options


@pytest.mark.asyncio
async def test_job_that_asks_for_nothing_is_run_as_configured(api: Api) -> None:
    job = api.store.jobs[await api.posted()].job

    assert job.options == JobOptions()
    assert (job.delay_ms, job.supersedes, job.idempotency) == (0, False, None)


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ({"timeoutMs": 1000}, JobOptions(timeout_ms=1000)),
        ({"timeoutMs": 1_800_000}, JobOptions(timeout_ms=1_800_000)),
        ({"stepTimeoutMs": 1_800_000}, JobOptions(step_timeout_ms=1_800_000)),
        ({"timeoutMs": 5000, "stepTimeoutMs": 5000}, JobOptions(timeout_ms=5000, step_timeout_ms=5000)),
        ({"attempts": 1}, JobOptions(attempts=1)),
        ({"attempts": 10}, JobOptions(attempts=10)),
    ],
)
@pytest.mark.asyncio
async def test_limits_and_attempts_are_stored_up_to_their_bounds(
    api: Api, asked: dict[str, Any], stored: JobOptions
) -> None:
    assert await _stored(api, **asked) == stored


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ({}, Backoff()),
        ({"type": "fixed"}, Backoff(kind=BackoffKind.FIXED)),
        ({"type": "exponential", "delayMs": 0}, Backoff(delay_ms=0)),
        ({"delayMs": 10, "maxMs": 10}, Backoff(delay_ms=10, max_ms=10)),
        ({"maxMs": 3_600_000}, Backoff(max_ms=3_600_000)),
        # A pause that was asked for is not cut down to the usual bound.
        ({"type": "fixed", "delayMs": 120_000}, Backoff(kind=BackoffKind.FIXED, delay_ms=120_000, max_ms=120_000)),
    ],
)
@pytest.mark.asyncio
async def test_backoff_is_stored_with_what_was_left_out(api: Api, asked: dict[str, Any], stored: Backoff) -> None:
    assert (await _stored(api, backoff=asked)).backoff == stored


@pytest.mark.parametrize("delay_ms", [0, 1, _WEEK_MS])
@pytest.mark.asyncio
async def test_delay_is_stored_and_told(api: Api, delay_ms: int) -> None:
    job_id = await api.posted(delayMs=delay_ms)

    view = await api.view(job_id)

    assert api.store.jobs[job_id].job.delay_ms == delay_ms
    assert (view["status"], view["dueAt"] is None) == ("pending", delay_ms == 0)


@pytest.mark.asyncio
async def test_moment_a_job_falls_due_is_told_until_it_is_promoted(api: Api) -> None:
    job_id = await api.posted(delayMs=1500)

    assert (await api.view(job_id))["dueAt"] == "2023-11-14T22:13:21.500Z"
    assert (await api.client.get("/api/stats")).json()["queues"]["builds"]["delayed"] == 1


@pytest.mark.asyncio
async def test_view_tells_of_attempts_and_failures(api: Api) -> None:
    view = await api.view(await api.posted(attempts=3))

    assert (view["attempts"], view["failures"], view["runs"]) == (3, 0, 0)


@pytest.mark.asyncio
async def test_newest_takes_the_place_of_the_one_before(api: Api) -> None:
    first = await api.post(dedupe="latest")
    second = await api.post(dedupe="latest")
    other_type = await api.post(dedupe="latest", type="test")
    plain = await api.post()

    assert second.json()["supersedes"] == first.json()["jobId"]
    for response in (first, other_type, plain):
        assert response.status_code == 201
        assert "supersedes" not in response.json()
    assert (await api.view(first.json()["jobId"]))["status"] == "cancelled"
    assert (await api.view(second.json()["jobId"]))["status"] == "pending"


@pytest.mark.asyncio
async def test_job_that_was_replaced_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    first = await api.posted(dedupe="latest")
    with caplog.at_level("INFO", logger="chef.api"):
        second = await api.posted(dedupe="latest")

    events = {getattr(record, "event", ""): record for record in caplog.records}
    assert vars(events["job.cancelled"])["job_id"] == first
    assert vars(events["job.cancelled"])["superseded_by"] == second


@pytest.mark.asyncio
async def test_refused_options_are_told_with_their_bounds(api: Api) -> None:
    problem = (await api.post(timeoutMs=4000, stepTimeoutMs=5000)).json()

    assert problem["path"] == "stepTimeoutMs"
    assert problem["detail"] == "must be a whole number from 1000 to 4000"
