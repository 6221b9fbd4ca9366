"""Whom a job is told to: the receivers of the settings, and the address that it brings along."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import attrs
import pytest
import pytest_asyncio

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.subscriber import ReceiverName, Subscriber
from chef_supervisor.settings import load
from tests.unit.api.api_kit import Api, assert_problem, make_settings

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CALLBACK_SECRET: Final = "whsec_b25lIGZvciBjYWxsYmFja3MgYWxvbmUu"
URL: Final = "https://hooks.example.com/told?of=1"
ALL: Final = {
    "CONVEX_URL": "https://happy-otter-1.convex.cloud",
    "CONVEX_DEPLOY_KEY": "prod:happy-otter-1|key",
    "CHEF_WEBHOOKS_URL": "https://ops.example.com/chef?token=hidden",
    "CHEF_WEBHOOKS_SECRETS": SECRET,
    "CHEF_WEBHOOKS_CALLBACK_HOSTS": "hooks.example.com,*.convex.site",
    "CHEF_WEBHOOKS_CALLBACK_SECRETS": CALLBACK_SECRET,
}


def api_of(env: Mapping[str, str]) -> Api:
    told = load(env)
    return Api(settings=attrs.evolve(make_settings(), convex=told.convex, webhooks=told.webhooks))


def to(receiver: str, *, progress: bool = True, url: str = "") -> Subscriber:
    return Subscriber(receiver=ReceiverName(receiver), progress=progress, url=url)


@pytest_asyncio.fixture
async def telling() -> AsyncIterator[Api]:
    api = api_of(ALL)
    async with api.client:
        yield api


async def _subscribers(api: Api, **fields: Any) -> tuple[Subscriber, ...]:
    return api.store.jobs[await api.posted(**fields)].job.subscribers


@pytest.mark.asyncio
async def test_by_default_nobody_is_told(api: Api) -> None:
    assert await _subscribers(api) == ()


@pytest.mark.asyncio
async def test_every_job_is_told_to_the_receivers_of_the_settings(telling: Api) -> None:
    assert await _subscribers(telling) == (to("convex"), to("hook.default"))


@pytest.mark.asyncio
async def test_a_job_may_be_told_to_an_address_of_its_own(telling: Api) -> None:
    subscribers = await _subscribers(telling, callbackUrl=URL)

    assert subscribers == (to("convex"), to("hook.default"), to("callback.hooks.example.com", url=URL))


@pytest.mark.asyncio
async def test_the_host_of_an_address_is_known_in_any_case_of_letters(telling: Api) -> None:
    url = "HTTPS://Happy-Otter-1.Convex.Site/chef"

    assert (await _subscribers(telling, callbackUrl=url))[-1] == to("callback.happy-otter-1.convex.site", url=url)


@pytest.mark.asyncio
async def test_a_job_that_wants_no_progress_is_told_of_at_its_end_alone(telling: Api) -> None:
    subscribers = await _subscribers(telling, callbackUrl=URL, progress=False)

    assert [one.progress for one in subscribers] == [False, False, False]


@pytest.mark.parametrize(
    ("name", "progress"),
    [
        ("CHEF_CONVEX_PROGRESS", [False, True, True]),
        ("CHEF_WEBHOOKS_PROGRESS", [True, False, True]),
        ("CHEF_WEBHOOKS_CALLBACK_PROGRESS", [True, True, False]),
    ],
)
@pytest.mark.asyncio
async def test_progress_is_switched_off_for_one_receiver_whatever_the_job_says(name: str, progress: list[bool]) -> None:
    api = api_of(ALL | {name: "false"})
    async with api.client:
        subscribers = await _subscribers(api, callbackUrl=URL, progress=True)

    assert [one.progress for one in subscribers] == progress


@pytest.mark.asyncio
async def test_a_callback_is_refused_where_none_are_allowed(api: Api) -> None:
    problem = assert_problem(await api.post(callbackUrl=URL), 422, "callback_not_allowed")

    assert problem["path"] == "callbackUrl"
    assert "switched off" in problem["detail"]
    assert not api.store.jobs


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://example.com/", "callback_not_allowed"),
        ("https://convex.site/", "callback_not_allowed"),
        ("http://hooks.example.com/", "invalid_callback_url"),
        ("https://hooks.example.com:8443/", "invalid_callback_url"),
        ("https://me:pw@hooks.example.com/", "invalid_callback_url"),
        ("https://169.254.169.254/", "invalid_callback_url"),
        ("https://hooks.example.com/\nconvex x", "invalid_callback_url"),
        ("https://hooks.example.com/a b", "invalid_callback_url"),
        ("", "invalid_callback_url"),
        (1, "invalid_callback_url"),
        ([URL], "invalid_callback_url"),
    ],
)
@pytest.mark.asyncio
async def test_an_address_that_is_not_taken_queues_nothing(telling: Api, url: Any, code: str) -> None:
    problem = assert_problem(await telling.post(callbackUrl=url), 422, code)

    assert problem["path"] == "callbackUrl"
    assert not telling.store.jobs


@pytest.mark.parametrize("progress", [0, 1, "false", [], {}])
@pytest.mark.asyncio
async def test_progress_is_true_or_false(api: Api, progress: Any) -> None:
    assert assert_problem(await api.post(progress=progress), 422, "invalid_progress")["path"] == "progress"


@pytest.mark.parametrize(
    ("body", "code"),
    [(b'"callbackUrl": null', "invalid_callback_url"), (b'"progress": null', "invalid_progress")],
)
@pytest.mark.asyncio
async def test_null_is_no_way_to_leave_it_out(telling: Api, body: bytes, code: str) -> None:
    whole = b'{"type": "build", "data": {"chatId": "c", "projectFiles": {"a": "b"}}, ' + body + b"}"

    assert_problem(await telling.post(whole), 422, code)


@pytest.mark.asyncio
async def test_a_retry_is_told_to_whom_its_job_was(telling: Api) -> None:
    job_id = await telling.posted(callbackUrl=URL, progress=False)
    await telling.store.cancel(job_id)

    again = (await telling.client.post(f"/api/jobs/{job_id}/retry")).json()["jobId"]

    assert telling.store.jobs[again].job.subscribers == telling.store.jobs[job_id].job.subscribers


@pytest.mark.asyncio
async def test_an_address_is_shown_and_logged_nowhere(telling: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        posted = await telling.post(callbackUrl=URL)
        job_id = posted.json()["jobId"]
        await telling.store.cancel(job_id)
        shown = [(await telling.client.get(path)).text for path in (f"/api/jobs/{job_id}", "/api/stats")]

    assert "callback.hooks.example.com" in shown[0]
    for text in (posted.text, *shown, " ".join(record.getMessage() for record in caplog.records)):
        assert "of=1" not in text


def test_a_host_to_call_back_that_is_none_is_told_at_start() -> None:
    with pytest.raises(Misconfigured, match=r"webhooks\.callback_hosts: 'https://example\.com'"):
        api_of(ALL | {"CHEF_WEBHOOKS_CALLBACK_HOSTS": "https://example.com"})


@pytest.mark.asyncio
async def test_a_repeated_job_is_told_to_the_same_as_the_first(telling: Api) -> None:
    old = await telling.posted(callbackUrl=URL, progress=False)
    await telling.store.cancel(old)

    response = await telling.client.post(f"/api/jobs/{old}/retry")

    assert telling.store.jobs[response.json()["jobId"]].job.subscribers == telling.store.jobs[old].job.subscribers


@pytest.mark.asyncio
async def test_a_job_is_not_repeated_whose_address_is_not_allowed_any_more(telling: Api) -> None:
    old = await telling.posted(callbackUrl=URL)
    await telling.store.cancel(old)
    stricter = Api(settings=api_of(ALL | {"CHEF_WEBHOOKS_CALLBACK_HOSTS": "other.example.com"}).settings)
    stricter.store.jobs = telling.store.jobs
    async with stricter.client:
        problem = assert_problem(await stricter.client.post(f"/api/jobs/{old}/retry"), 422, "callback_not_allowed")

    assert problem["path"] == "callbackUrl"
    assert "submit the job anew" in problem["detail"]
    assert list(telling.store.jobs) == [old]
