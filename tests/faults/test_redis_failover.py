"""F16: the primary becomes read-only, or dies and a replica takes its place."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, a_job, claim_one, submit
from tests.kit.asking import all_completed, crashes, health, refused_soon, until, works_again
from tests.kit.deployment import Deployment
from tests.kit.redis_servers import REDIS_8, REDIS_62, RedisProcess, running_process
from tests.kit.wire import wire_to


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@contextmanager
def primary_and_replica(name: str) -> Iterator[tuple[RedisProcess, RedisProcess]]:
    """Yields: both, in sync."""
    port = free_port()
    with running_process(name, port=port) as primary, running_process(name, port="0") as replica:
        with replica.client() as client:
            client.replicaof("127.0.0.1", port)
        in_sync(primary)
        yield primary, replica


def in_sync(primary: RedisProcess) -> None:
    """Wait until the replica has all that was written."""
    # WAIT waits for its own connection's writes, so there must be one.
    with primary.client() as client:
        until(lambda: bool(client.set("written", "x")) and client.wait(1, 1000) == 1)


def promote(replica: RedisProcess) -> None:
    with replica.client() as client:
        client.replicaof("NO", "ONE")


@pytest.mark.parametrize("name", [REDIS_62, REDIS_8])
def test_f16_a_replica_that_takes_over_goes_on_with_all_that_it_had(name: str, tmp_path: Path) -> None:
    with primary_and_replica(name) as (primary, replica), wire_to(str(primary.socket), tmp_path) as wire:
        env = {"CHEF_QUEUE_LEASE_S": "3", "CHEF_QUEUE_RENEW_S": "1", "CHEF_QUEUE_REAP_S": "0.5"}
        deployment = Deployment(replica, tmp_path, {"CHEF_SANDBOX": "null", "NODE_ENV": "test", **env})
        way = {"CHEF_REDIS_UNIX_SOCKET": str(wire.path)}
        try:
            service = deployment.holding(MAX_CONCURRENT_WORKERS="1", **way)
            deployment.submit_many(service, 5)
            service.wait_for_event("job.processing", job_id=deployment.accepted[0])
            in_sync(primary)
            promote(replica)
            # Accepted by the old primary when the replica did not listen any more: what async replication costs.
            unknown = service.submit("build", {"package.json": "{}"})

            wire.target = str(replica.socket)
            primary.kill()
            wire.cut()
            deployment.release()

            works_again(deployment, service)
            all_completed(deployment, service)
            with service.client() as client:
                assert client.get(f"/api/jobs/{unknown}").status_code == httpx.codes.NOT_FOUND
            assert crashes(service) == []
        finally:
            deployment.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("name", [REDIS_62, REDIS_8])
async def test_f16_a_run_that_the_new_primary_does_not_know_is_fenced(name: str) -> None:
    """The old one gave the job away after the replica had stopped to listen; the new one gives it away again."""
    with primary_and_replica(name) as (primary, replica):
        old, new = RedisJobStore(primary.config()), RedisJobStore(replica.config())
        [job_id] = await submit(old, a_job())
        in_sync(primary)
        promote(replica)
        stale = await claim_one(old)

        again = await claim_one(new)

        # The same number, for nobody told the new one that it was given out; the nonce tells them apart.
        assert again.fence.run == stale.fence.run
        assert not await new.renew(job_id, stale.fence)
        assert not await new.finish(job_id, stale.fence, PASSED)
        assert await new.finish(job_id, again.fence, PASSED)
        assert (await new.read(job_id)).status is JobStatus.COMPLETED
        assert (await new.stats())[BUILDS].completed == 1
        await old.close()
        await new.close()


def test_f16_a_primary_that_becomes_read_only_refuses_jobs_until_it_is_none_any_more(deployment: Deployment) -> None:
    service = deployment.holding()
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)
    with deployment.redis.client() as client:
        client.replicaof("127.0.0.1", "1")
        refused_soon(service)
        until(lambda: any("replica" in reason for reason in reasons(service)))

        promote_again(client)
    deployment.release()
    works_again(deployment, service)
    all_completed(deployment, service)
    assert crashes(service) == []


def reasons(service: object) -> list[str]:
    return [str(reason) for reason in health(service).json()["reasons"]]  # type: ignore[arg-type]


def promote_again(client: redis.Redis) -> None:
    client.replicaof("NO", "ONE")
