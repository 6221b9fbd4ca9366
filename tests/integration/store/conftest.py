from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
import redis

from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import Clock
from tests.kit.fake_store import FakeStore
from tests.kit.redis_servers import RedisProcess, RedisServer, own_redis_fixture, redis_server_fixture

__all__ = ["own_redis_fixture", "redis_server_fixture"]


@pytest.fixture
def prefix() -> str:
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def raw(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """A client to look behind the store with."""
    with redis_server.client() as client:
        yield client


@pytest_asyncio.fixture
async def make_store(
    redis_server: RedisServer, prefix: str, clock: Clock
) -> AsyncIterator[Callable[..., RedisJobStore]]:
    """Makes stores on the server's keys of this test, with the test's clock, and closes them."""
    stores: list[RedisJobStore] = []

    def make(**fields: Any) -> RedisJobStore:
        # Patient: a busy machine is no outage, and the tests of outages have a store of their own.
        config = redis_server.config(**{"key_prefix": prefix, "command_timeout_s": 60.0, **fields})
        stores.append(RedisJobStore(config, now_ms=clock))
        return stores[-1]

    yield make
    for store in stores:
        await store.close()


@pytest_asyncio.fixture(params=["redis", "fake"])
async def either(
    request: pytest.FixtureRequest, make_store: Callable[..., RedisJobStore], clock: Clock
) -> RedisJobStore | FakeStore:
    """What is true of the store is true of the one that other tests use in its place."""
    return make_store() if request.param == "redis" else FakeStore(delivery_clock_ms=clock)


@pytest.fixture
def store(make_store: Callable[..., RedisJobStore]) -> RedisJobStore:
    return make_store()


@pytest_asyncio.fixture
async def own_store(own_redis: RedisProcess) -> AsyncIterator[RedisJobStore]:
    """With the server's clock, and no more patience than a busy machine needs."""
    store = RedisJobStore(own_redis.config(command_timeout_s=1.0))
    yield store
    own_redis.resume()
    await store.close()
