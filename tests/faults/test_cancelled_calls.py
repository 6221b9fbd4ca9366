"""The promise G22: whoever gives up waiting for Redis never leaves its answer to the next who asks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import pytest
import pytest_asyncio

from chef_supervisor.domain.job import JobId
from chef_supervisor.store.answers import JobEvent
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, a_job, many_tasks
from tests.kit.redis_servers import REDIS_8, running_process

JOBS: Final = 50
AT_ONCE: Final = 100
# So many turns of the loop at most until a call is given up: from before it is sent to after its answer.
MOST_TURNS: Final = 12


@pytest_asyncio.fixture
async def store() -> AsyncIterator[RedisJobStore]:
    with running_process(REDIS_8) as server:
        made = RedisJobStore(server.config(command_timeout_s=60.0))
        yield made
        await made.close()


async def ask(store: RedisJobStore, job_ids: Sequence[JobId], number: int) -> bool:
    """Returns: whether the answer is the one to this question; by turns on shared connections and on ones that block."""
    if number % 10:
        original = await store.original(job_ids[number])
        return original.payload == b"job %d" % number
    events = await store.events(BUILDS, f"{number}-0", 5)
    return isinstance(events[0], JobEvent) and events[0].job_id == job_ids[number]


async def give_up_some(calls: Sequence[asyncio.Task[Any]], chance: random.Random) -> int:
    """Returns: how many were given up before they had their answer; every tenth is left alone."""
    given_up = 0
    for index, call in enumerate(calls):
        if index % 10:
            given_up += call.cancel()
        for _ in range(chance.randrange(MOST_TURNS) if index % 5 == 0 else 0):
            await asyncio.sleep(0)
    return given_up


@pytest.mark.asyncio
@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_g22_thousands_of_cancelled_calls_never_give_their_answer_to_another(
    store: RedisJobStore, count: int
) -> None:
    chance, given_up, answered = random.Random(22), 0, 0
    jobs = [a_job(payload=b"job %d" % number) for number in range(JOBS)]
    for job in jobs:
        await store.submit(job)
    job_ids = [job.job_id for job in jobs]

    with many_tasks():
        while given_up < count:
            calls = [asyncio.create_task(ask(store, job_ids, chance.randrange(JOBS))) for _ in range(AT_ONCE)]
            for _ in range(chance.randrange(MOST_TURNS)):
                await asyncio.sleep(0)
            given_up += await give_up_some(calls, chance)
            done, _ = await asyncio.wait(calls)
            answers = [call.result() for call in done if not call.cancelled()]
            assert all(answers)
            answered += len(answers)

    assert answered >= count / 10
