from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim, JobId, JobStatus
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.store.answers import JobState
from tests.kit.fake_store import FakeStore
from tests.unit.api.api_kit import Api, assert_problem, following, make_settings


@pytest.mark.parametrize("wait", ["31", "-1", "x", "", "nan", "1e1", "٣", "99999", "30.0001"])
@pytest.mark.asyncio
async def test_wait_is_seconds_up_to_the_longest(api: Api, wait: str) -> None:
    job_id = await api.posted()

    problem = assert_problem(await api.client.get(f"/api/jobs/{job_id}?wait={wait}"), 422, "invalid_parameter")

    assert problem["path"] == "wait"


@pytest.mark.asyncio
async def test_wait_given_twice_is_refused(api: Api) -> None:
    job_id = await api.posted()

    assert_problem(await api.client.get(f"/api/jobs/{job_id}?wait=1&wait=2"), 422, "invalid_parameter")


@pytest.mark.asyncio
async def test_wait_answers_when_the_job_is_over_and_not_before(api: Api) -> None:
    async with following(api.feed), asyncio.TaskGroup() as group:
        job_id = await api.posted()
        claim = await api.claim()
        polling = group.create_task(api.client.get(f"/api/jobs/{job_id}?wait=30"))
        await api.store.called("read")
        await api.store.progress(job_id, claim.fence, 50)
        assert not polling.done()
        await api.finish(claim, JobStatus.FAILED)
        response = await polling

    assert response.json()["status"] == "failed"
    assert response.json()["result"] is not None


class _FinishesAfterTheFirstRead(FakeStore):
    """The end of the job comes when its state has been read, and before the reader can wait for it."""

    claimed: Claim | None = None

    async def read(self, job_id: JobId) -> JobState:
        state = await super().read(job_id)
        if self.claimed is not None:
            claim, self.claimed = self.claimed, None
            outcome = Outcome(status=JobStatus.COMPLETED, result=Result(verdict=Verdict.PASSED))
            await self.finish(job_id, claim.fence, outcome)
        return state


@pytest.mark.asyncio
async def test_wait_misses_no_end_between_subscribing_and_reading() -> None:
    store = _FinishesAfterTheFirstRead()
    api = Api(settings=make_settings(), store=store)
    async with following(api.feed):
        job_id = await api.posted()
        store.claimed = await api.claim()

        response = await api.client.get(f"/api/jobs/{job_id}?wait=30")

    assert response.json()["status"] == "completed"


@pytest.mark.asyncio
async def test_wait_for_a_job_that_is_over_answers_at_once(api: Api) -> None:
    job_id = await api.posted()
    await api.finish(await api.claim())

    response = await api.client.get(f"/api/jobs/{job_id}?wait=30")

    assert response.json()["status"] == "completed"


class _ReadsOnce(FakeStore):
    """Every read but the first fails."""

    async def read(self, job_id: JobId) -> JobState:
        if self.calls.get("read"):
            raise StoreUnavailable("made to fail")
        return await super().read(job_id)


@pytest.mark.asyncio
async def test_wait_tells_of_a_store_that_fails_meanwhile() -> None:
    api = Api(settings=make_settings(), store=_ReadsOnce())
    async with following(api.feed), asyncio.TaskGroup() as group:
        job_id = await api.posted()
        claim = await api.claim()
        polling = group.create_task(api.client.get(f"/api/jobs/{job_id}?wait=30"))
        await api.store.called("read")
        await api.finish(claim)
        response = await polling

    assert_problem(response, 503, "store_unavailable")


@pytest.mark.asyncio
async def test_wait_that_runs_out_tells_the_state_as_it_is_then(api: Api) -> None:
    job_id = await api.posted()
    await api.claim()

    response = await api.client.get(f"/api/jobs/{job_id}?wait=0.01")

    assert response.json()["status"] == "processing"


@pytest.mark.asyncio
async def test_wait_ends_when_the_feed_does(api: Api) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(api.feed.run())
        await api.feed.placed(5.0)
        job_id = await api.posted()
        polling = group.create_task(api.client.get(f"/api/jobs/{job_id}?wait=30"))
        await api.store.called("read")
        running.cancel()
        response = await polling

    assert response.json()["status"] == "pending"


@pytest.mark.asyncio
async def test_wait_for_an_unknown_job_is_404_at_once(api: Api) -> None:
    response = await api.client.get("/api/jobs/builds.0_" + "a" * 26 + "?wait=30")

    assert_problem(response, 404, "not_found")
