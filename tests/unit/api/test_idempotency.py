from __future__ import annotations

import asyncio
import hashlib

import orjson
import pytest

from tests.unit.api.api_kit import Api, assert_problem, data, job_body


@pytest.mark.asyncio
async def test_same_key_and_body_are_one_job_and_the_same_answer(api: Api) -> None:
    first = await api.post(key="k", dedupe="latest")
    claim = await api.claim()
    await api.finish(claim)
    second = await api.post(key="k", dedupe="latest")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(api.store.jobs) == 1


@pytest.mark.asyncio
async def test_replay_tells_again_which_job_was_replaced(api: Api) -> None:
    old = await api.posted(dedupe="latest")

    answers = [await api.post(key="k", dedupe="latest") for _ in range(2)]

    assert [answer.json()["supersedes"] for answer in answers] == [old, old]


@pytest.mark.asyncio
async def test_many_at_once_are_one_job(api: Api) -> None:
    answers = await asyncio.gather(*(api.post(key="k") for _ in range(50)))

    assert len({answer.json()["jobId"] for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 49


@pytest.mark.asyncio
async def test_replay_is_not_told_of_as_a_new_job(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="chef.api"):
        await api.post(key="k")
        await api.post(key="k")

    assert len(api.hints) == 1
    assert [vars(record)["event"] for record in caplog.records if record.name == "chef.api"] == ["job.pending"]


@pytest.mark.asyncio
async def test_key_of_another_body_is_refused(api: Api) -> None:
    first = await api.post(key="k")

    refused = await api.post(key="k", priority=6)

    assert first.status_code == 201
    assert_problem(refused, 422, "idempotency_mismatch")
    assert len(api.store.jobs) == 1


@pytest.mark.asyncio
async def test_another_layout_of_the_same_json_is_another_body(api: Api) -> None:
    body = orjson.dumps(job_body())
    await api.post(body, key="k")

    assert_problem(await api.post(body + b" ", key="k"), 422, "idempotency_mismatch")


@pytest.mark.asyncio
async def test_other_keys_and_no_key_are_other_jobs(api: Api) -> None:
    answers = [await api.post(key=key) for key in ("a", "b", None, None)]

    assert len({answer.json()["jobId"] for answer in answers}) == 4


@pytest.mark.parametrize("size", [1_000, 100_000])
@pytest.mark.asyncio
async def test_digest_is_of_the_bytes_that_came(api: Api, size: int) -> None:
    body = orjson.dumps(job_body(data=data({"a.txt": "x" * size})))

    job_id = (await api.post(body, key="k")).json()["jobId"]

    stored = api.store.jobs[job_id].job.idempotency
    assert stored is not None
    assert (stored.key, stored.body_sha256) == ("k", hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("key", ["!", "~", "k" * 255, "a,b", '"quoted"', "550e8400-e29b-41d4-a716-446655440000"])
@pytest.mark.asyncio
async def test_printable_keys_are_taken_as_they_are(api: Api, key: str) -> None:
    job_id = (await api.post(key=key)).json()["jobId"]

    stored = api.store.jobs[job_id].job.idempotency
    assert stored is not None
    assert stored.key == key


@pytest.mark.parametrize("keys", [("a", "a"), ("a", "b"), ("a", "")])
@pytest.mark.asyncio
async def test_two_keys_are_refused(api: Api, keys: tuple[str, str]) -> None:
    headers = [("content-type", "application/json"), *(("idempotency-key", key) for key in keys)]

    response = await api.client.post("/api/jobs", content=orjson.dumps(job_body()), headers=headers)

    assert_problem(response, 400, "invalid_idempotency_key")
    assert not api.store.jobs


@pytest.mark.asyncio
async def test_refused_job_leaves_its_key_free(api: Api) -> None:
    api.store.full = True
    refused = await api.post(key="k")
    api.store.full = False

    accepted = await api.post(key="k", priority=6)

    assert (refused.status_code, accepted.status_code) == (429, 201)
