"""
Our store by itself, as the service opens it. Prints one line of JSON.

    python -m scripts.bench.our_store pass JOBS CONCURRENCY CALLERS   add that many, then claim and finish them
    python -m scripts.bench.our_store fill JOBS                       add that many, and tell what each takes of memory
    python -m scripts.bench.our_store beside WAITING                  claim and finish some while so many wait

Environment: REDIS_PORT. The jobs are those of reference/queue.js. Slots are filled as the dispatcher fills them: what is
free is claimed together, and a slot is free when its job's end is stored.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import Awaitable, Sequence
from typing import Final

import attrs
import redis
import uvloop

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import Claim, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.payload import pack
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.redis_store import RedisJobStore

_QUEUE: Final = QueueName("builds")
_PAYLOAD: Final = pack(Assignment(files={"a.js": b"x" * 200}))
_PASSED: Final = Outcome(status=JobStatus.COMPLETED, result=Result(verdict=Verdict.PASSED))
_FILLERS: Final = 500
# Of each stretch that is timed, and how many there are: few enough that as many wait at its end.
_STRETCH: Final = 500
_STRETCHES: Final = 20
_SLOTS: Final = 50


@attrs.define(eq=False)
class Slots:
    """Claims what there are slots for, and finishes each by a task of its own."""

    store: JobStore
    free: int
    _freed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    async def run(self, jobs: int) -> None:
        """Bring so many jobs to their end."""
        async with asyncio.TaskGroup() as group:
            while jobs:
                claims = await self.store.claim(_QUEUE, min(self.free, jobs))
                jobs -= len(claims)
                self.free -= len(claims)
                for claim in claims:
                    group.create_task(self._finish(claim))
                while jobs and not self.free:
                    self._freed.clear()
                    await self._freed.wait()

    async def _finish(self, claim: Claim) -> None:
        if not await self.store.finish(claim.job_id, claim.fence, _PASSED):
            raise RuntimeError(f"{claim.job_id} was not ours any more")
        self.free += 1
        self._freed.set()


async def add(store: JobStore, jobs: int, callers: int) -> None:
    """Add so many, each caller one after the other."""
    numbers = iter(range(jobs))

    async def call() -> None:
        for number in numbers:
            await store.submit(_job(number))

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(call())


def _job(number: int) -> NewJob:
    return NewJob(
        job_id=new_job_id(_QUEUE, secrets.token_bytes(16)),
        type=JobType.BUILD,
        tenant=Tenant("chat-123"),
        priority=1 + number % 10,
        payload=_PAYLOAD,
    )


async def _pass(store: JobStore, jobs: int, concurrency: int, callers: int) -> dict[str, float]:
    added_s = await _took_s(add(store, jobs, callers))
    processed_s = await _took_s(Slots(store, concurrency).run(jobs))
    return {"added_per_s": jobs / added_s, "processed_per_s": jobs / processed_s}


async def _fill(store: JobStore, jobs: int) -> dict[str, float]:
    with redis.Redis(port=_port()) as client:
        before = client.info("memory")["used_memory"]
        await add(store, jobs, _FILLERS)
        return {"bytes_per_job": (client.info("memory")["used_memory"] - before) / jobs}


async def _beside(store: JobStore, waiting: int) -> dict[str, float]:
    there = (await store.stats())[_QUEUE].waiting
    await add(store, waiting - there, _FILLERS)
    took_s = 0.0
    for _ in range(_STRETCHES):
        took_s += await _took_s(Slots(store, _SLOTS).run(_STRETCH))
        await add(store, _STRETCH, _FILLERS)
    return {"processed_per_s": _STRETCH * _STRETCHES / took_s}


async def _took_s(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _port() -> int:
    return int(os.environ["REDIS_PORT"])


async def _main(what: str, numbers: Sequence[int]) -> None:
    # The bound alone is not as shipped: see `running.service`.
    store = RedisJobStore(StoreConfig(host="127.0.0.1", port=_port(), max_jobs=2_000_000, instance="bench"))
    told = await {"pass": _pass, "fill": _fill, "beside": _beside}[what](store, *numbers)  # type: ignore[operator]
    await store.close()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], [int(number) for number in sys.argv[2:]]))
