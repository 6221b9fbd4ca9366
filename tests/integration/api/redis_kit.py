"""The API on the real store and a real Redis, with nothing made up: what a process of `CHEF_ROLE=api` is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx

from chef_supervisor.api import ApiDependencies, EventFeed, HealthReport, Server, make_app
from chef_supervisor.api.dependencies import no_seal
from chef_supervisor.settings import Settings
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.api.server_kit import PATIENCE_S
from tests.kit.redis_servers import RedisServer
from tests.unit.api.api_kit import make_settings


@attrs.frozen(kw_only=True, eq=False)
class OnRedis:
    """`store` is what requests wait for, as impatient as it is by default; `worker` is a patient one."""

    store: RedisJobStore
    worker: RedisJobStore
    client: httpx.AsyncClient


@asynccontextmanager
async def serving_on(
    redis: RedisServer,
    *,
    patient: bool = True,
    seal: Callable[[Mapping[str, str]], bytes] = no_seal,
    told: Settings | None = None,
    **config: Any,
) -> AsyncIterator[OnRedis]:
    """
    Run a server on that Redis.

    `patient`: requests wait long too, for tests that are of no time. `seal`: for secrets. `told`: settings that name
    receivers, which nobody tells anything here. `config` is the stores'.
    """
    settings = make_settings()
    if told is not None:
        settings = attrs.evolve(settings, convex=told.convex, webhooks=told.webhooks)
    timeout_s = 20.0 if patient else settings.redis.request_timeout_s
    settings = attrs.evolve(settings, redis=attrs.evolve(settings.redis, request_timeout_s=timeout_s))
    store = RedisJobStore(redis.config(command_timeout_s=timeout_s, **config))
    worker = RedisJobStore(redis.config(command_timeout_s=20.0, **config))
    feed = EventFeed(store, tuple(settings.queues), poll_s=1.0)
    deps = ApiDependencies(
        settings=settings, store=store, feed=feed, health=lambda: HealthReport(sandbox="null"), seal=seal
    )
    server = Server(make_app(deps), settings.http, on_stop=feed.end_all)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(feed.run()), group.create_task(server.run())]
        await server.ready.wait()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE_S) as client:
            yield OnRedis(store=store, worker=worker, client=client)
        await server.stop(1.0)
        running[0].cancel()
    server.close()
    await store.close()
    await worker.close()
