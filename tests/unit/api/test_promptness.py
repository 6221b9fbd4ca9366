"""The calls of one request have one deadline together, in virtual time."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from chef_supervisor.domain.job import JobId, JobStatus, JobType, NewJob, Tenant, new_job_id
from chef_supervisor.settings import Durability
from tests.kit.fake_store import FakeStore
from tests.kit.virtual_time import now_s, virtual
from tests.unit.api.api_kit import BUILDS, Api, assert_problem, make_settings


@attrs.define(eq=False)
class Slow(FakeStore):
    """Each call takes `pause_s`, once it is slow."""

    pause_s: float = 0.0

    async def _enter(self, name: str) -> None:
        await asyncio.sleep(self.pause_s)
        await super()._enter(name)


async def _failed_job(api: Api, payload: bytes = b"") -> JobId:
    job_id = new_job_id(BUILDS, b"x" * 16)
    # Not by the API: it reads large bodies in a thread, which knows no virtual time.
    await api.store.submit(NewJob(job_id=job_id, type=JobType.BUILD, tenant=Tenant("chat1"), payload=payload))
    await api.finish(await api.claim(), JobStatus.FAILED)
    return job_id


@pytest.mark.parametrize(("method", "path"), [("GET", "{}"), ("POST", "{}/retry")])
def test_calls_that_are_slow_together_are_refused_in_time(method: str, path: str) -> None:
    @virtual
    async def test() -> None:
        store = Slow()
        api = Api(settings=make_settings(), store=store)
        job_id = await _failed_job(api)
        store.pause_s = 0.5

        response = await api.client.request(method, f"/api/jobs/{path.format(job_id)}")

        problem = assert_problem(response, 503, "store_unavailable")
        assert "did not answer in time" in problem["detail"]
        assert now_s() <= 0.8

    test()


@virtual
async def test_cancel_and_its_view_are_refused_in_time() -> None:
    store = Slow()
    api = Api(settings=make_settings(), store=store)
    job_id = await api.posted()
    store.pause_s = 0.5

    response = await api.client.delete(f"/api/jobs/{job_id}")

    assert_problem(response, 503, "store_unavailable")
    assert now_s() <= 0.8


@virtual
async def test_calls_within_the_time_are_answered() -> None:
    store = Slow()
    api = Api(settings=make_settings(), store=store)
    job_id = await _failed_job(api)
    store.pause_s = 0.3

    assert (await api.client.get(f"/api/jobs/{job_id}")).status_code == 200
    assert (await api.client.post(f"/api/jobs/{job_id}/retry")).status_code == 201


@virtual
async def test_retry_of_a_large_job_may_take_as_long_as_its_bytes() -> None:
    store = Slow()
    api = Api(settings=make_settings(), store=store)
    job_id = await _failed_job(api, payload=b"x" * (10 << 20))
    store.pause_s = 0.7

    assert (await api.client.post(f"/api/jobs/{job_id}/retry")).status_code == 201


@virtual
async def test_changes_wait_for_the_disk_where_that_was_asked_for() -> None:
    settings = make_settings()
    redis = attrs.evolve(settings.redis, durability=Durability.FSYNC)
    store = Slow()
    api = Api(settings=attrs.evolve(settings, redis=redis), store=store)
    job_id = await _failed_job(api)
    store.pause_s = 0.6

    retried = await api.client.post(f"/api/jobs/{job_id}/retry")
    cancelled = await api.client.delete(f"/api/jobs/{retried.json()['jobId']}")

    assert (retried.status_code, cancelled.status_code) == (201, 200)
