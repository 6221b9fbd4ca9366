from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.domain.job import Claim, JobId, JobStatus
from chef_supervisor.domain.outcome import Diagnostic, Outcome, Result, Severity, Verdict
from chef_supervisor.store.codec import encode_result
from tests.unit.api.api_kit import Api, assert_problem, following

FOUND = Diagnostic(file="a b.ts", line=3, column=4, severity=Severity.ERROR, code="TS1", message="no", tool="tsc")


async def end(api: Api, claim: Claim) -> None:
    result = Result(verdict=Verdict.FAILED, message="The build failed.", diagnostics=(FOUND,))
    assert await api.store.finish(claim.job_id, claim.fence, Outcome(status=JobStatus.FAILED, result=result))
    # the fake keeps no more of a result than most tests need
    api.store.jobs[claim.job_id].result = encode_result(result)


@pytest.mark.asyncio
async def test_findings_of_a_job_that_is_over_are_had_as_sarif(api: Api) -> None:
    job_id = await api.posted()
    await end(api, await api.claim())

    response = await api.client.get(f"/api/jobs/{job_id}?format=sarif")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/sarif+json"
    [run] = response.json()["runs"]
    assert run["tool"]["driver"]["name"] == "tsc"
    [found] = run["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.ts"


@pytest.mark.asyncio
async def test_a_job_that_is_not_over_has_no_findings_yet(api: Api) -> None:
    job_id = await api.posted()

    problem = assert_problem(await api.client.get(f"/api/jobs/{job_id}?format=sarif"), 409, "not_over")

    assert "?wait=30" in problem["detail"]


@pytest.mark.asyncio
async def test_sarif_can_be_waited_for(api: Api) -> None:
    async with following(api.feed), asyncio.TaskGroup() as group:
        job_id = await api.posted()
        claim = await api.claim()
        polling = group.create_task(api.client.get(f"/api/jobs/{job_id}?format=sarif&wait=30"))
        await api.store.called("read")
        await end(api, claim)

        assert (await polling).headers["content-type"] == "application/sarif+json"


@pytest.mark.asyncio
async def test_an_unknown_job_has_no_sarif(api: Api) -> None:
    assert_problem(await api.client.get(f"/api/jobs/{JobId('builds.0_' + 'a' * 26)}?format=sarif"), 404, "not_found")


@pytest.mark.parametrize("asked", ["json", "", "SARIF", "sarif,json"])
@pytest.mark.asyncio
async def test_another_format_is_refused(api: Api, asked: str) -> None:
    job_id = await api.posted()

    problem = assert_problem(await api.client.get(f"/api/jobs/{job_id}?format={asked}"), 422, "invalid_parameter")

    assert problem["path"] == "format"
