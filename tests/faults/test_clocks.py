"""F40: wall clocks jump by an hour or a year, forwards and back, on the worker and on Redis. No job is lost or stuck."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, LEASE_MS, PASSED, Clock, a_job, claim_one, submit
from tests.kit.asking import all_completed, crashes, health, until, works_again
from tests.kit.deployment import Deployment
from tests.kit.invariants import violations
from tests.kit.redis_servers import RedisProcess
from tests.kit.service import Service

_HOUR_S: Final = 3600
_YEAR_S: Final = 365 * 24 * _HOUR_S
_JUMPS_S: Final = [_HOUR_S, -_HOUR_S, _YEAR_S, -_YEAR_S]
# What the interpreter runs before the service: its wall clock jumps as soon as a file is there.
_SHIFTED: Final = """
import os, time
real, real_ns = time.time, time.time_ns
def shift():
    try:
        with open({file!r}) as file:
            return int(file.read() or 0)
    except OSError:
        return 0
time.time = lambda: real() + shift()
time.time_ns = lambda: real_ns() + shift() * 10**9
"""


@pytest.mark.parametrize("jump_s", _JUMPS_S)
def test_f40_a_worker_whose_clock_jumps_does_not_care(deployment: Deployment, tmp_path: Path, jump_s: int) -> None:
    jump, hooks = tmp_path / "jump", tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(_SHIFTED.format(file=str(jump)))
    other = deployment.bystander()
    service = deployment.holding(PYTHONPATH=str(hooks))
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)
    before = told_at(service)

    jump.write_text(str(jump_s))
    until(lambda: abs(told_at(service) - before) > timedelta(seconds=abs(jump_s) / 2))
    later = deployment.submit(service)
    deployment.release()

    works_again(deployment, service)
    all_completed(deployment, other)
    with other.client() as client:
        # By the clock of Redis, which is right.
        created_at = datetime.fromisoformat(client.get(f"/api/jobs/{later}").json()["createdAt"])
        assert abs(created_at - before) < timedelta(seconds=_HOUR_S / 2)
    assert crashes(service) == []


def told_at(service: Service) -> datetime:
    """Returns: what time it is to the service."""
    return datetime.fromisoformat(health(service).json()["timestamp"])


@pytest.mark.asyncio
@pytest.mark.parametrize("jump_s", _JUMPS_S)
async def test_f40_a_redis_whose_clock_jumps_takes_nobodys_job_and_leaves_none_behind(
    own_redis: RedisProcess, jump_s: int
) -> None:
    clock = Clock()
    store = RedisJobStore(own_redis.config(), now_ms=clock)
    held, orphaned, waiting = await submit(store, a_job(), a_job(), a_job())
    await regularly(store, clock, LEASE_MS * 2)
    claim, lost = await claim_one(store), await claim_one(store)

    clock.pass_ms(jump_s * 1000)
    assert (await store.reap(BUILDS)).requeued == ()
    assert await store.renew(held, claim.fence)
    # Whoever renews keeps his job, and the one that nobody renews is given away within two leases.
    requeued = await regularly(store, clock, LEASE_MS * 3, held=lambda: store.renew(held, claim.fence))

    assert requeued == [orphaned]
    assert await store.finish(held, claim.fence, PASSED)
    assert not await store.finish(orphaned, lost.fence, PASSED)
    for _ in range(2):
        again = await claim_one(store)
        assert again.job_id in {orphaned, waiting}
        assert await store.finish(again.job_id, again.fence, PASSED)
    states = [(await store.read(job_id)).status for job_id in (held, orphaned, waiting)]
    assert states == [JobStatus.COMPLETED] * 3
    with own_redis.client() as client:
        assert violations(client, (held, orphaned, waiting), over=True) == []
    await store.close()


async def regularly(store: RedisJobStore, clock: Clock, for_ms: int, held: object = None) -> list[str]:
    """Reap once a second, as the service does. Returns: the jobs whose lease ran out."""
    requeued: list[str] = []
    for _ in range(for_ms // 1000):
        clock.pass_ms(1000)
        if callable(held):
            assert await held()
        requeued += (await store.reap(BUILDS)).requeued
    return requeued
