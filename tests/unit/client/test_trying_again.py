"""Calls are made again while the service is away, and do no harm when they come twice."""

from __future__ import annotations

import httpx
import pytest

from chef_supervisor.client import Archive, Client, ClientError, NotFound, Refused, Unavailable, Unreachable
from tests.kit.fake_service import JOB_ID, FakeService, a_job, problem
from tests.kit.virtual_time import now_s, virtual

FILES = {"a.py": "x = 1\n"}
GONE = httpx.ConnectError("Connection refused")


@pytest.mark.parametrize("project", [FILES, Archive(b"\x1f\x8b")], ids=["files", "archive"])
@virtual
async def test_a_submission_whose_answer_was_lost_is_sent_again_the_same_to_the_byte(project: Archive) -> None:
    service = FakeService(
        [GONE, httpx.ReadError("broken"), problem(503, "draining"), httpx.Response(201, json=a_job())]
    )

    async with service.client() as client:
        job = await client.submit("test", project, chat_id="demo")

    assert job.job_id == JOB_ID
    assert len(service.heard) == 4
    assert len({request.content for request in service.heard}) == 1
    assert len({request.headers["idempotency-key"] for request in service.heard}) == 1
    assert len({request.headers["content-type"] for request in service.heard}) == 1


@virtual
async def test_each_submission_has_a_key_of_its_own() -> None:
    service = FakeService([httpx.Response(201, json=a_job())])

    async with service.client() as client:
        await client.submit("test", FILES, chat_id="demo")
        await client.submit("test", FILES, chat_id="demo")
        await client.submit("test", FILES, chat_id="demo", idempotency_key="mine")
        await client.retry(JOB_ID)

    keys = [request.headers["idempotency-key"] for request in service.heard]
    assert len(set(keys)) == 4
    assert keys[2] == "mine"


@virtual
async def test_a_service_that_asks_for_time_gets_it() -> None:
    service = FakeService([problem(503, "draining", **{"Retry-After": "7"}), a_job()])

    async with service.client() as client:
        await client.job(JOB_ID)

    assert 7 <= now_s() < 8


@virtual
async def test_pauses_grow_and_end_with_the_patience() -> None:
    service = FakeService([GONE])

    async with service.client(patience_s=60) as client:
        with pytest.raises(Unreachable, match=r"nobody answers at http://service.*Connection refused"):
            await client.job(JOB_ID)

    assert 50 < now_s() <= 60
    # Twice as long each time, up to 5 s, less up to half by chance.
    assert 15 <= len(service.heard) <= 35


@pytest.mark.parametrize("status", [502, 503, 504])
@virtual
async def test_a_service_that_cannot_for_too_long_is_told_as_that(status: int) -> None:
    async with FakeService([problem(status, "store_unavailable", "Redis is away")]).client(patience_s=5) as client:
        with pytest.raises(Unavailable, match=f"{status} store_unavailable.*Redis is away"):
            await client.stats()


@virtual
async def test_a_full_queue_is_tried_again_and_then_a_refusal() -> None:
    service = FakeService([problem(429, "queue_full", **{"Retry-After": "5"})])

    async with service.client(patience_s=20) as client:
        with pytest.raises(Refused, match="429 queue_full"):
            await client.submit("test", FILES, chat_id="demo")

    assert len(service.heard) == 5


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (404, NotFound), (409, Refused), (413, Refused), (422, Refused), (500, Unavailable)],
)
@virtual
async def test_what_would_be_answered_the_same_is_asked_once(status: int, kind: type[ClientError]) -> None:
    service = FakeService([problem(status, "some_code", "because")])

    async with service.client() as client:
        with pytest.raises(kind, match="because"):
            await client.cancel(JOB_ID)

    assert len(service.heard) == 1
    assert now_s() == 0


@virtual
async def test_a_refusal_has_all_that_was_said() -> None:
    said = {
        "code": "invalid_path",
        "detail": "no",
        "path": "data.x",
        "errors": [{"path": "data.y", "detail": "neither"}],
    }

    async with FakeService([httpx.Response(422, json=said)]).client() as client:
        with pytest.raises(Refused) as refused:
            await client.job(JOB_ID)

    error = refused.value
    assert (error.status, error.code, error.path) == (422, "invalid_path", "data.x")
    assert "data.x: no\ndata.y: neither" in str(error)


@virtual
async def test_a_refusal_of_somebody_else_is_shown_and_cut() -> None:
    async with FakeService([httpx.Response(403, text="x" * 5000)]).client() as client:
        with pytest.raises(Refused) as refused:
            await client.job(JOB_ID)

    assert 300 <= len(str(refused.value)) < 400


@virtual
async def test_what_is_borne_is_told_once_each_time_it_begins() -> None:
    told: list[ClientError] = []
    service = FakeService([GONE, GONE, GONE, a_job(), problem(503, "draining"), a_job()])

    async with service.client(on_trouble=told.append) as client:
        await client.job(JOB_ID)
        await client.job(JOB_ID)

    assert [type(trouble) for trouble in told] == [Unreachable, Unavailable]


@virtual
async def test_an_id_is_one_name_of_the_address_whatever_it_holds() -> None:
    service = FakeService([a_job()])

    async with service.client() as client:
        await client.job("../health?x#y")

    assert service.heard[0].url.raw_path == b"/api/jobs/..%2Fhealth%3Fx%23y"


@pytest.mark.asyncio
async def test_a_port_where_nobody_listens_is_nobody() -> None:
    async with Client("http://127.0.0.1:9", patience_s=0) as client:
        with pytest.raises(Unreachable, match=r"nobody answers at http://127.0.0.1:9"):
            await client.health()
