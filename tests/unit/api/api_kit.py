"""The API on a fake store, for tests: settings, dependencies, and a client that calls the app without a network."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import orjson

from chef_supervisor.api import ApiDependencies, EventFeed, HealthReport, make_app
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.job import Claim, JobId, JobStatus, QueueName
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.settings import Settings, load
from tests.kit.fake_store import FakeStore

BUILDS = QueueName("builds")
TOOLCHAINS = ("npm", "pip")


def make_settings(**http: Any) -> Settings:
    settings = load({})
    return attrs.evolve(settings, http=attrs.evolve(settings.http, host="127.0.0.1", port=0, **http))


def fake_seal(variables: Mapping[str, str]) -> bytes:
    """Returns: what does not hold any of the values as they are."""
    return b"sealed " + base64.b64encode(orjson.dumps(dict(variables), option=orjson.OPT_SORT_KEYS))


@attrs.define(eq=False, kw_only=True)
class Api:
    """What a test works with. `hints` are the queues the dispatcher was told of."""

    settings: Settings
    store: FakeStore = attrs.field(factory=FakeStore)
    artifacts: ArtifactStore | None = None
    report: HealthReport = attrs.field(factory=lambda: HealthReport(sandbox="null", sandbox_reason="a test"))
    draining: bool = False
    hints: list[QueueName] = attrs.field(factory=list)
    feed: EventFeed = attrs.field()
    deps: ApiDependencies = attrs.field()
    client: httpx.AsyncClient = attrs.field()

    @feed.default
    def _feed(self) -> EventFeed:
        return EventFeed(self.store, self.store.queues, poll_s=0.5, pause_s=0.001, room=8)

    @deps.default
    def _deps(self) -> ApiDependencies:
        return ApiDependencies(
            settings=self.settings,
            store=self.store,
            feed=self.feed,
            artifacts=self.artifacts,
            health=lambda: self.report,
            hint=self.hints.append,
            draining=lambda: self.draining,
            toolchains=TOOLCHAINS,
            seal=fake_seal,
            now_ms=lambda: 1_700_000_000_123,
        )

    @client.default
    def _client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(make_app(self.deps), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def post(self, content: bytes | None = None, *, key: str | None = None, **fields: Any) -> httpx.Response:
        """Send a job: these bytes, or `job_body(**fields)`; `key` is its Idempotency-Key."""
        body = orjson.dumps(job_body(**fields)) if content is None else content
        headers = {"content-type": "application/json"} | ({} if key is None else {"idempotency-key": key})
        return await self.client.post("/api/jobs", content=body, headers=headers)

    async def posted(self, **fields: Any) -> JobId:
        return JobId((await self.post(**fields)).json()["jobId"])

    async def view(self, job_id: str) -> dict[str, Any]:
        view: dict[str, Any] = (await self.client.get(f"/api/jobs/{job_id}")).json()
        return view

    async def claim(self, queue: QueueName = BUILDS) -> Claim:
        [claim] = await self.store.claim(queue, 1)
        return claim

    async def finish(self, claim: Claim, status: JobStatus = JobStatus.COMPLETED) -> None:
        outcome = Outcome(status=status, result=Result(verdict=Verdict.PASSED, message="all well"))
        assert await self.store.finish(claim.job_id, claim.fence, outcome)


@asynccontextmanager
async def following(feed: EventFeed) -> AsyncIterator[None]:
    """Run the feed, and wait until it follows."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(feed.run())
        await feed.placed(5.0)
        yield
        running.cancel()


def job_body(**changes: Any) -> dict[str, Any]:
    """Returns: a good request; a change to None takes the key away."""
    body = {"type": "build", "data": {"chatId": "chat1", "projectFiles": {"a.txt": "a"}}} | changes
    return {key: value for key, value in body.items() if value is not None}


def data(files: Any, chat_id: Any = "chat1") -> dict[str, Any]:
    return {"chatId": chat_id, "projectFiles": files}


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that this is a whole problem document, and return it."""
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert problem["status"] == status
    assert problem["type"] == f"urn:chef:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    return problem
