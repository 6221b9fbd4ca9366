"""What the store finds out about real servers, and what it does about one that is not fit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
import redis

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import a_job, submit, works_again
from tests.kit.redis_servers import REDIS_62, RedisProcess

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def store_with(own_redis: RedisProcess) -> AsyncIterator[Callable[..., RedisJobStore]]:
    stores: list[RedisJobStore] = []

    def make(**fields: Any) -> RedisJobStore:
        stores.append(RedisJobStore(own_redis.config(**fields)))
        return stores[-1]

    yield make
    for store in stores:
        await store.close()


async def test_a_server_as_the_embedded_one_is_fit(
    own_redis: RedisProcess, store_with: Callable[..., RedisJobStore]
) -> None:
    found = await store_with().preflight()

    assert found.refusals == ()
    assert found.loss == "may lose the jobs of the last second"
    assert ["7.0 or newer" in warning for warning in found.warnings] == ([True] if own_redis.name == REDIS_62 else [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda client: client.config_set("appendonly", "no"), "appendonly yes"),
        (lambda client: client.replicaof("127.0.0.1", "1"), "primary"),
        (
            lambda client: (
                client.config_set("maxmemory", "100mb"),
                client.config_set("maxmemory-policy", "allkeys-lru"),
            ),
            "noeviction",
        ),
    ],
    ids=["no append-only file", "a replica", "an evicting one"],
)
async def test_an_unfit_server_is_given_no_jobs_until_it_is_mended(
    own_redis: RedisProcess,
    store_with: Callable[..., RedisJobStore],
    change: Callable[[redis.Redis], object],
    told: str,
) -> None:
    store = store_with()
    with own_redis.client() as client:
        change(client)

        [refusal] = (await store.preflight()).refusals
        assert told in refusal
        with pytest.raises(StoreUnavailable, match=told):
            await store.submit(a_job())

        client.replicaof("NO", "ONE")
        client.config_set("appendonly", "yes")
        client.config_set("maxmemory-policy", "noeviction")
    assert (await store.preflight()).refusals == ()
    await works_again(store)


async def test_jobs_of_before_go_on_while_the_server_is_not_fit(
    own_redis: RedisProcess, store_with: Callable[..., RedisJobStore]
) -> None:
    store = store_with()
    [job_id] = await submit(store, a_job())
    with own_redis.client() as client:
        client.config_set("appendonly", "no")

    assert (await store.preflight()).refusals
    [claim] = await store.claim(store._config.queues[0], 1)

    assert claim.job_id == job_id
    assert await store.release(job_id, claim.fence)


async def test_jobs_in_memory_alone_must_be_asked_for(
    own_redis: RedisProcess, store_with: Callable[..., RedisJobStore]
) -> None:
    with own_redis.client() as client:
        client.config_set("appendonly", "no")

    found = await store_with(allow_volatile=True).preflight()

    assert found.refusals == ()
    assert found.loss == "may lose all jobs"


async def test_only_a_server_with_waitaof_confirms(
    own_redis: RedisProcess, store_with: Callable[..., RedisJobStore]
) -> None:
    refusals = (await store_with(confirm_on_disk=True).preflight()).refusals

    assert ["7.2 or newer" in refusal for refusal in refusals] == ([True] if own_redis.name == REDIS_62 else [])


async def test_a_user_that_may_not_ask_for_the_configuration_gets_to_know_what_matters(
    own_redis: RedisProcess, store_with: Callable[..., RedisJobStore]
) -> None:
    """As on a managed Redis."""
    with own_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "managed", "on", ">secret", "~*", "&*", "+@all", "-config")
        store = store_with(username="managed", password="secret")
        assert (await store.preflight()).refusals == ()

        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lfu")
        [refusal] = (await store.preflight()).refusals

    assert "allkeys-lfu" in refusal


async def test_a_user_that_may_not_ask_at_all_is_refused(
    own_redis: RedisProcess, store_with: Callable[..., RedisJobStore]
) -> None:
    with own_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "blind", "on", ">secret", "~*", "&*", "+@all", "-info")

    [refusal] = (await store_with(username="blind", password="secret").preflight()).refusals

    assert "+info" in refusal


async def test_a_server_that_is_gone_is_neither_fit_nor_unfit(
    own_redis: RedisProcess, own_store: RedisJobStore
) -> None:
    own_redis.kill()

    with pytest.raises(StoreUnavailable):
        await own_store.preflight()

    own_redis.start()
    await works_again(own_store)
