from __future__ import annotations

import pytest

from chef_supervisor.domain.job import JobStatus
from tests.unit.api.api_kit import BUILDS, Api, assert_problem

UNKNOWN = "/api/jobs/builds.0_" + "a" * 26


@pytest.mark.asyncio
async def test_waiting_job_is_cancelled_and_shown(api: Api) -> None:
    job_id = await api.posted()

    response = await api.client.delete(f"/api/jobs/{job_id}")

    assert response.status_code == 200
    assert response.json() == await api.view(job_id)
    assert (response.json()["status"], response.json()["finishedAt"]) == ("cancelled", "2023-11-14T22:13:20.002Z")
    assert response.json()["result"] is not None


@pytest.mark.asyncio
async def test_running_job_is_cancelled_and_its_runner_told(api: Api) -> None:
    job_id = await api.posted()
    claim = await api.claim()

    response = await api.client.delete(f"/api/jobs/{job_id}")

    assert response.json()["status"] == "cancelled"
    assert [order.run for order in await api.store.orders(BUILDS, "0-0", 1.0)] == [claim.run]


@pytest.mark.asyncio
async def test_second_cancel_is_answered_like_the_first(api: Api) -> None:
    job_id = await api.posted()

    first, second = [await api.client.delete(f"/api/jobs/{job_id}") for _ in range(2)]

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT])
@pytest.mark.asyncio
async def test_job_with_another_end_keeps_it(api: Api, status: JobStatus) -> None:
    job_id = await api.posted()
    await api.finish(await api.claim(), status)

    problem = assert_problem(await api.client.delete(f"/api/jobs/{job_id}"), 409, "already_over")

    assert status in problem["detail"]
    assert (await api.view(job_id))["status"] == status


@pytest.mark.asyncio
async def test_unknown_job_cannot_be_cancelled(api: Api) -> None:
    assert_problem(await api.client.delete(UNKNOWN), 404, "not_found")


@pytest.mark.parametrize("job_id", ["*", "builds.0_short", "deploys.0_" + "a" * 26])
@pytest.mark.asyncio
async def test_malformed_id_is_unknown_without_a_call_of_the_store(api: Api, job_id: str) -> None:
    for response in (
        await api.client.delete(f"/api/jobs/{job_id}"),
        await api.client.post(f"/api/jobs/{job_id}/retry"),
    ):
        assert_problem(response, 404, "not_found")
    assert api.store.calls == {}


@pytest.mark.asyncio
async def test_cancelling_goes_on_while_the_process_stops(api: Api) -> None:
    job_id = await api.posted()
    api.draining = True

    assert (await api.client.delete(f"/api/jobs/{job_id}")).status_code == 200


@pytest.mark.asyncio
async def test_cancel_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    job_id = await api.posted()
    with caplog.at_level("INFO", logger="chef.api"):
        await api.client.delete(f"/api/jobs/{job_id}")

    assert [vars(record)["event"] for record in caplog.records if record.name == "chef.api"] == ["job.cancelled"]


@pytest.mark.asyncio
async def test_job_has_two_methods_and_its_retry_one(api: Api) -> None:
    job = await api.client.put(UNKNOWN)
    retry = await api.client.get(f"{UNKNOWN}/retry")

    assert_problem(job, 405, "method_not_allowed")
    assert_problem(retry, 405, "method_not_allowed")
    assert (job.headers["allow"], retry.headers["allow"]) == ("DELETE, GET, HEAD", "POST")


@pytest.mark.asyncio
async def test_parameters_are_refused(api: Api) -> None:
    assert_problem(await api.client.delete(f"{UNKNOWN}?force=1"), 422, "unknown_parameter")
    assert_problem(await api.client.post(f"{UNKNOWN}/retry?force=1"), 422, "unknown_parameter")
