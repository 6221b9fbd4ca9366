"""Answers of older and newer services are read; what is no answer is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import orjson
import pytest

from chef_supervisor.client import Artifact, Delivery, Diagnostic, Job, JobResult
from chef_supervisor.client.decoding import decode
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Cause, StepStatus, Verdict
from chef_supervisor.store.codec import encode_result
from tests.kit.fake_service import JOB_ID, FakeService, a_job, found
from tests.kit.virtual_time import virtual
from tests.unit.store.test_codec import FULL


def test_a_result_of_this_service_is_read_whole() -> None:
    result = decode(orjson.loads(encode_result(FULL)), JobResult)

    assert (result.verdict, result.cause, result.summary) == (Verdict.FAILED, Cause.EXIT, FULL.summary)
    assert [(step.name, step.status, step.exit_code) for step in result.steps] == [
        ("test", StepStatus.FAILED, 1),
        ("lint", StepStatus.SKIPPED, None),
    ]
    assert result.tests is not None
    assert [case.message for case in result.tests.cases] == ["1 != 2"]
    assert result.diagnostics == (
        Diagnostic(file="src/a.ts", line=3, column=7, code="TS2322", message="no", tool="tsc"),
    )
    assert result.artifacts == (Artifact(path="dist/a.js", bytes=10, sha256="ab" * 32),)
    assert result.output.dropped_bytes == 5


def test_times_are_times_and_words_are_words() -> None:
    job = decode(a_job("completed", finishedAt="2026-11-23T13:32:02.487Z", cause="no_tests"), Job)

    assert job.finished_at == dt.datetime(2026, 11, 23, 13, 32, 2, 487_000, tzinfo=dt.UTC)
    assert job.status is JobStatus.COMPLETED
    assert job.cause is Cause.NO_TESTS
    assert job.started_at is None


def test_deliveries_are_told_with_the_job() -> None:
    at = "2026-11-23T13:32:02.487Z"
    told = {"receiver": "convex", "status": "waiting", "event": "job.failed", "seq": 3, "tries": 2, "reason": "timeout"}

    job = decode(a_job(deliveries=[{**told, "nextTryAt": at, "deliveredAt": None}]), Job)

    next_try_at = dt.datetime(2026, 11, 23, 13, 32, 2, 487_000, tzinfo=dt.UTC)
    assert job.deliveries == (
        Delivery(
            receiver="convex",
            status="waiting",
            event="job.failed",
            seq=3,
            tries=2,
            reason="timeout",
            next_try_at=next_try_at,
        ),
    )


@pytest.mark.parametrize(("receiver", "sent"), [(None, b""), ("convex", b'{"receiver": "convex"}')])
@virtual
async def test_an_end_is_told_again_by_one_call(receiver: str | None, sent: bytes) -> None:
    service = FakeService([httpx.Response(202, json={"redelivered": ["convex"]})])

    async with service.client() as client:
        assert await client.redeliver(JOB_ID, receiver) == ("convex",)

    [request] = service.heard
    assert (request.method, request.url.path) == ("POST", f"/api/jobs/{JOB_ID}/redeliver")
    assert request.content == sent


def test_a_newer_service_may_say_more() -> None:
    result = found("wonderful", "of_tomorrow", more={"a": 1}, analysis={"cycles": []})

    job = decode(a_job("archived", type="deploy", shard=7, result=result), Job)

    assert (job.type, job.status, job.over) == ("deploy", "archived", True)
    assert job.result is not None
    assert (job.result.verdict, job.result.cause, job.result.analysis) == ("wonderful", "of_tomorrow", {"cycles": []})


def test_an_older_service_may_say_less() -> None:
    job = decode({"jobId": "x", "type": "test", "status": "failed", "result": {"verdict": "failed"}}, Job)

    assert job.result == JobResult(verdict=Verdict.FAILED)


@pytest.mark.parametrize(
    "document", [None, [], {}, "text", 1, {"jobId": 1}, a_job(createdAt="soon"), a_job(result=[1])]
)
def test_what_is_no_job_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="no Job can be made of it"):
        decode(document, Job)


@virtual
async def test_counts_are_told_for_each_queue() -> None:
    queues = {"builds": {"waiting": 1, "active": 2, "failed": 3, "lost": 4}, "lint": {}}

    async with FakeService([{"queues": queues}]).client() as client:
        stats = await client.stats()

    assert (stats["builds"].waiting, stats["builds"].active, stats["builds"].failed) == (1, 2, 3)
    assert stats["lint"].waiting == 0


@virtual
async def test_health_is_an_answer_also_where_it_is_bad() -> None:
    said = {"status": "unhealthy", "redis": "disconnected", "reasons": ["no"]}
    unwell = FakeService([httpx.Response(503, json=said)])

    async with unwell.client() as client:
        health = await client.health()

    assert (health.status, health.redis, health.reasons) == ("unhealthy", "disconnected", ("no",))
    assert len(unwell.heard) == 1
