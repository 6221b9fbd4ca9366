"""Cancel, retry, keys, options and dedupe through the API on the real store."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from chef_supervisor.domain.job import Claim, JobId, JobOptions, JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.domain.payload import unpack
from chef_supervisor.domain.retry import Backoff, BackoffKind
from tests.integration.api.redis_kit import OnRedis, serving_on
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.unit.api.api_kit import BUILDS, assert_problem, data, job_body


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


@pytest_asyncio.fixture
async def on(redis: RedisProcess) -> AsyncIterator[OnRedis]:
    async with serving_on(redis, key_prefix=f"test-{uuid.uuid4().hex}") as on:
        yield on


async def _posted(on: OnRedis, key: str | None = None, **fields: Any) -> dict[str, Any]:
    headers = {} if key is None else {"idempotency-key": key}
    response = await on.client.post("/api/jobs", json=job_body(**fields), headers=headers)
    assert response.status_code == 201, response.text
    view: dict[str, Any] = response.json()
    return view


async def _claimed(on: OnRedis) -> Claim:
    [claim] = await on.worker.claim(BUILDS, 1)
    return claim


async def _end(on: OnRedis, claim: Claim, status: JobStatus) -> None:
    result = Result(verdict=Verdict.FAILED, cause=Cause.EXIT, message="over")
    assert await on.worker.finish(claim.job_id, claim.fence, Outcome(status=status, result=result))


async def _view(on: OnRedis, job_id: str) -> dict[str, Any]:
    view: dict[str, Any] = (await on.client.get(f"/api/jobs/{job_id}")).json()
    return view


@pytest.mark.asyncio
async def test_waiting_and_running_jobs_are_cancelled(on: OnRedis) -> None:
    waiting = (await _posted(on, priority="low"))["jobId"]
    running = (await _posted(on, priority="high"))["jobId"]
    claim = await _claimed(on)

    answers = [await on.client.delete(f"/api/jobs/{job_id}") for job_id in (waiting, running, running)]

    assert claim.job_id == running
    for answer in answers:
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert answer.json()["result"]["verdict"]
        assert answer.json()["finishedAt"]
    assert not await on.worker.renew(claim.job_id, claim.fence)
    assert [order.run for order in await on.worker.orders(BUILDS, "0-0", 0.01)] == [claim.run]
    assert (await on.client.get("/api/stats")).json()["queues"]["builds"]["cancelled"] == 2


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT])
@pytest.mark.asyncio
async def test_job_with_another_end_keeps_it(on: OnRedis, status: JobStatus) -> None:
    job_id = (await _posted(on))["jobId"]
    await _end(on, await _claimed(on), status)

    assert_problem(await on.client.delete(f"/api/jobs/{job_id}"), 409, "already_over")
    assert (await _view(on, job_id))["status"] == status


@pytest.mark.asyncio
async def test_unknown_jobs_cannot_be_cancelled_or_retried(on: OnRedis) -> None:
    path = "/api/jobs/builds.0_" + "a" * 26

    assert_problem(await on.client.delete(path), 404, "not_found")
    assert_problem(await on.client.post(f"{path}/retry"), 404, "not_found")


@pytest.mark.parametrize("size", [10, 300_000])
@pytest.mark.asyncio
async def test_retry_is_a_new_job_of_the_same_files_and_options(on: OnRedis, size: int) -> None:
    files = {"a.txt": "".join(chr(97 + n % 23) + str(n) for n in range(size // 6))}
    options: dict[str, Any] = {
        "attempts": 2,
        "timeoutMs": 9000,
        "backoff": {"type": "fixed", "delayMs": 7},
        "delayMs": 0,
    }
    old = (await _posted(on, data=data(files, "chat9"), priority="high", **options))["jobId"]
    first = await _claimed(on)
    await _end(on, first, JobStatus.FAILED)

    answers = [await on.client.post(f"/api/jobs/{old}/retry", headers={"idempotency-key": "again"}) for _ in range(2)]
    again = await _claimed(on)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["retryOf"], answers[0].json()["priority"]) == (old, 10)
    assert again.job_id == answers[0].json()["jobId"]
    assert (again.tenant, again.type, again.options) == (first.tenant, first.type, first.options)
    assert {path: content.decode() for path, content in unpack(again.payload).files.items()} == files
    assert (await _view(on, old))["status"] == "failed"


@pytest.mark.asyncio
async def test_cancelled_job_is_retried_and_one_that_waits_is_not(on: OnRedis) -> None:
    job_id = (await _posted(on))["jobId"]
    early = await on.client.post(f"/api/jobs/{job_id}/retry")
    await on.client.delete(f"/api/jobs/{job_id}")

    retried = await on.client.post(f"/api/jobs/{job_id}/retry")

    assert_problem(early, 409, "not_over")
    assert retried.status_code == 201


@pytest.mark.asyncio
async def test_fifty_requests_with_one_key_are_one_job(on: OnRedis) -> None:
    async with asyncio.TaskGroup() as group:
        posts = [group.create_task(_posted(on, "one", dedupe="latest")) for _ in range(50)]

    answers = [post.result() for post in posts]
    assert answers == [answers[0]] * 50
    assert (await on.client.get("/api/stats")).json()["queues"]["builds"]["waiting"] == 1


@pytest.mark.asyncio
async def test_answer_to_a_key_stays_the_same_whatever_becomes_of_the_job(on: OnRedis) -> None:
    old = (await _posted(on, dedupe="latest"))["jobId"]
    first = await _posted(on, "k", dedupe="latest")
    await _end(on, await _claimed(on), JobStatus.FAILED)

    replayed = await on.client.post("/api/jobs", json=job_body(dedupe="latest"), headers={"idempotency-key": "k"})

    assert first["supersedes"] == old
    assert (replayed.status_code, replayed.json()) == (201, first)
    assert replayed.headers["idempotent-replayed"] == "true"


@pytest.mark.asyncio
async def test_key_is_of_one_body_one_chat_and_one_queue(on: OnRedis) -> None:
    first = await _posted(on, "k")

    other_body = await on.client.post("/api/jobs", json=job_body(priority=6), headers={"idempotency-key": "k"})
    other_chat = await _posted(on, "k", data=data({"a.txt": "a"}, "chat2"))
    other_queue = await _posted(on, "k", type="test")

    assert_problem(other_body, 422, "idempotency_mismatch")
    assert len({first["jobId"], other_chat["jobId"], other_queue["jobId"]}) == 3


@pytest.mark.asyncio
async def test_options_reach_whoever_runs_the_job(on: OnRedis) -> None:
    await _posted(
        on,
        timeoutMs=9000,
        stepTimeoutMs=8000,
        attempts=4,
        backoff={"type": "fixed", "delayMs": 120_000},
    )

    claim = await _claimed(on)

    backoff = Backoff(kind=BackoffKind.FIXED, delay_ms=120_000, max_ms=120_000)
    assert claim.options == JobOptions(attempts=4, backoff=backoff, timeout_ms=9000, step_timeout_ms=8000)
    assert (await _view(on, claim.job_id))["attempts"] == 4


@pytest.mark.asyncio
async def test_delayed_job_waits_and_says_until_when(on: OnRedis) -> None:
    posted = await _posted(on, delayMs=3_600_000)

    view = await _view(on, posted["jobId"])

    assert view["status"] == "pending"
    assert view["dueAt"] > view["createdAt"]
    assert await on.worker.claim(BUILDS, 1) == []
    assert (await on.client.get("/api/stats")).json()["queues"]["builds"]["delayed"] == 1


@pytest.mark.asyncio
async def test_newest_of_a_chat_and_type_is_the_one_that_runs(on: OnRedis) -> None:
    first = await _posted(on, dedupe="latest")
    other = await _posted(on, dedupe="latest", data=data({"a.txt": "a"}, "chat2"))
    second = await _posted(on, dedupe="latest")

    statuses = [(await _view(on, view["jobId"]))["status"] for view in (first, other, second)]

    assert second["supersedes"] == first["jobId"]
    assert ("supersedes" in other, statuses) == (False, ["cancelled", "pending", "pending"])


@pytest.mark.asyncio
async def test_job_that_another_program_overwrote_is_told_as_such(on: OnRedis, redis: RedisProcess) -> None:
    job_id = JobId((await _posted(on))["jobId"])
    with redis.client() as other:
        [key] = other.scan_iter(match=f"*job:{job_id}")
        other.delete(key)
        other.set(key, "not ours")

    assert_problem(await on.client.get(f"/api/jobs/{job_id}"), 500, "corrupt_state")
    assert (await on.client.get("/api/health")).status_code == 200
