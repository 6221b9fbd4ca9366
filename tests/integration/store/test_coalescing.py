"""Concurrent callers share round trips: counted by the server itself."""

from __future__ import annotations

import asyncio
import random

import pytest
import redis

from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, a_job, finish_together, many_tasks, submit, submit_together

pytestmark = pytest.mark.asyncio


def calls(raw: redis.Redis, command: str) -> int:
    stats = raw.info("commandstats")
    assert isinstance(stats, dict)
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_a_thousand_submissions_take_a_handful_of_round_trips(store: RedisJobStore, raw: redis.Redis) -> None:
    await submit(store, a_job())
    before = calls(raw, "evalsha")

    await submit_together(store, [a_job() for _ in range(1024)])

    # 256 a flight; the first may leave with fewer.
    assert 4 <= calls(raw, "evalsha") - before <= 8
    assert (await store.stats())[BUILDS].waiting == 1025


async def test_no_flight_is_larger_than_a_megabyte(store: RedisJobStore, raw: redis.Redis) -> None:
    jobs = [a_job(payload=random.Random(number).randbytes(60_000)) for number in range(50)]
    await submit(store, a_job())
    before = calls(raw, "evalsha")

    await submit_together(store, jobs)

    assert 3 <= calls(raw, "evalsha") - before <= 6


async def test_renewals_and_ends_share_round_trips(store: RedisJobStore, raw: redis.Redis) -> None:
    await submit_together(store, [a_job() for _ in range(200)])
    claims = await store.claim(BUILDS, 200)
    before = calls(raw, "evalsha")

    async with asyncio.TaskGroup() as group:
        for claim in claims:
            group.create_task(store.renew(claim.job_id, claim.fence))
    await finish_together(store, claims)

    # A script may have to be loaded and sent again.
    assert calls(raw, "evalsha") - before <= 8
    assert (await store.stats())[BUILDS].completed == 200


async def test_status_polls_share_round_trips_and_never_read_payloads(store: RedisJobStore, raw: redis.Redis) -> None:
    states = await submit_together(store, [a_job(payload=b"x" * 50_000) for _ in range(20)])
    gets, all_fields = calls(raw, "get"), calls(raw, "hgetall")
    received = raw.info("stats")

    with many_tasks():
        async with asyncio.TaskGroup() as group:
            reads = [group.create_task(store.read(state.job_id)) for state in states * 50]

    assert [read.result() for read in reads] == states * 50
    assert (calls(raw, "get"), calls(raw, "hgetall")) == (gets, all_fields)
    sent = raw.info("stats")
    assert isinstance(received, dict)
    assert isinstance(sent, dict)
    assert sent["total_net_output_bytes"] - received["total_net_output_bytes"] < 1000 * 400
