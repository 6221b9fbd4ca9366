from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest

from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.domain.payload import unpack
from tests.unit.api.api_kit import BUILDS, Api, assert_problem, data


async def _over(api: Api, status: JobStatus = JobStatus.FAILED, **fields: Any) -> JobId:
    """Returns: a job with that end."""
    job_id = await api.posted(**fields)
    if status is JobStatus.CANCELLED:
        await api.store.cancel(job_id)
    else:
        await api.finish(await api.claim(), status)
    api.hints.clear()
    return job_id


async def _retry(api: Api, job_id: str, key: str | None = None, **request: Any) -> httpx.Response:
    headers = {} if key is None else {"idempotency-key": key}
    return await api.client.post(f"/api/jobs/{job_id}/retry", headers=headers, **request)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED])
@pytest.mark.asyncio
async def test_job_that_did_not_complete_is_run_again_as_a_new_one(api: Api, status: JobStatus) -> None:
    old = await _over(api, status, attempts=3, timeoutMs=5000, priority="high", data=data({"a": "b"}, "chat7"))

    response = await _retry(api, old)

    view = response.json()
    assert response.status_code == 201
    assert set(view) == {"jobId", "type", "status", "queue", "priority", "createdAt", "retryOf"}
    assert (view["retryOf"], view["status"], view["priority"]) == (old, "pending", 10)
    assert response.headers["location"] == f"/api/jobs/{view['jobId']}"
    assert view["jobId"] != old
    assert api.hints == [BUILDS]
    again, before = api.store.jobs[view["jobId"]].job, api.store.jobs[old].job
    assert attrs.evolve(again, job_id=old) == before
    assert (await api.view(old))["status"] == status


@pytest.mark.asyncio
async def test_a_retry_is_run_also_where_a_remembered_result_would_have_done(api: Api) -> None:
    old = await _over(api, cache=True, data={**data({"a.py": "b", "x": {"content": "gA==", "encoding": "base64"}})})

    again = api.store.jobs[(await _retry(api, old)).json()["jobId"]].job

    before = unpack(api.store.jobs[old].job.payload)
    assert before.cache
    assert unpack(again.payload) == attrs.evolve(before, cache=False)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://x--builds.preview.localhost:3001"])
@pytest.mark.asyncio
async def test_a_page_that_may_not_call_cannot_have_a_job_repeated(api: Api, origin: str) -> None:
    old = await _over(api)

    response = await api.client.post(f"/api/jobs/{old}/retry", headers={"origin": origin})

    assert_problem(response, 403, "foreign_origin")
    assert list(api.store.jobs) == [old]


@pytest.mark.asyncio
async def test_a_page_that_may_call_can(api: Api) -> None:
    old = await _over(api)

    response = await api.client.post(f"/api/jobs/{old}/retry", headers={"origin": "http://localhost:5173"})

    assert response.status_code == httpx.codes.CREATED


@pytest.mark.asyncio
async def test_delay_dedupe_and_key_are_not_repeated(api: Api) -> None:
    response = await api.post(key="k", dedupe="latest", delayMs=60_000)
    old = response.json()["jobId"]
    await api.store.cancel(old)

    again = api.store.jobs[(await _retry(api, old)).json()["jobId"]].job

    assert (again.delay_ms, again.supersedes, again.idempotency) == (0, False, None)


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.COMPLETED])
@pytest.mark.asyncio
async def test_job_that_waits_runs_or_completed_is_not_retried(api: Api, status: JobStatus) -> None:
    job_id = await api.posted()
    if status is not JobStatus.PENDING:
        claim = await api.claim()
        if status.terminal:
            await api.finish(claim, status)

    problem = assert_problem(await _retry(api, job_id), 409, "not_over")

    assert status in problem["detail"]
    assert len(api.store.jobs) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b" { \r\n} "])
@pytest.mark.asyncio
async def test_body_is_not_needed(api: Api, body: bytes) -> None:
    assert (await _retry(api, await _over(api), content=body)).status_code == 201


@pytest.mark.parametrize("body", [b'{"priority": 3}', b"[]", b"null", b"x", b"{"])
@pytest.mark.asyncio
async def test_body_that_asks_for_something_is_refused(api: Api, body: bytes) -> None:
    assert_problem(await _retry(api, await _over(api), content=body), 422, "invalid_body")
    assert len(api.store.jobs) == 1


@pytest.mark.asyncio
async def test_large_body_is_refused_without_reading_on(api: Api) -> None:
    assert_problem(await _retry(api, await _over(api), content=b" " * 5000), 413, "payload_too_large")


@pytest.mark.asyncio
async def test_unknown_job_is_not_retried(api: Api) -> None:
    assert_problem(await _retry(api, "builds.0_" + "a" * 26), 404, "not_found")


@pytest.mark.asyncio
async def test_same_key_is_one_retry(api: Api) -> None:
    old = await _over(api)

    first, second = [await _retry(api, old, "k", content=body) for body in (b"", b"{}")]

    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(api.store.jobs) == 2


@pytest.mark.asyncio
async def test_key_of_another_retry_or_of_a_submission_is_refused(api: Api) -> None:
    first, second = await _over(api), await _over(api)
    await _retry(api, first, "k")
    await api.post(key="posted")

    assert_problem(await _retry(api, second, "k"), 422, "idempotency_mismatch")
    assert_problem(await _retry(api, second, "posted"), 422, "idempotency_mismatch")


@pytest.mark.asyncio
async def test_bad_key_is_refused_before_the_store_is_asked(api: Api) -> None:
    old = await _over(api)
    api.store.forget_calls()

    assert_problem(await _retry(api, old, ""), 400, "invalid_idempotency_key")
    assert api.store.calls == {}


@pytest.mark.asyncio
async def test_retry_is_refused_like_a_submission(api: Api) -> None:
    old = await _over(api)
    api.draining = True
    draining = await _retry(api, old)
    api.draining = False
    api.store.full = True
    full = await _retry(api, old)

    assert_problem(draining, 503, "draining")
    assert_problem(full, 429, "queue_full")
