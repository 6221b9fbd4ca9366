"""What the tests of the outbox make jobs, deliveries and receivers with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import redis

from chef_supervisor.domain.delivery import Delivery, DeliveryState
from chef_supervisor.domain.job import Claim, JobId, NewJob
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.domain.subscriber import ReceiverName, Subscriber
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, a_job, claim_one

CONVEX: Final = ReceiverName("convex")
HOOK: Final = ReceiverName("hook.ci")
CALLBACK: Final = ReceiverName("callback.example.com")
URL: Final = "https://example.com/told?of=1"
DELIVERY_LEASE_MS: Final = 30_000
Make = Callable[..., RedisJobStore]


def to(receiver: ReceiverName, *, progress: bool = True, url: str = "") -> Subscriber:
    return Subscriber(receiver=receiver, progress=progress, url=url)


def a_told_job(*subscribers: Subscriber) -> NewJob:
    return attrs.evolve(a_job(), subscribers=subscribers or (to(CONVEX),))


async def start(store: JobStore, *subscribers: Subscriber) -> Claim:
    await store.submit(a_told_job(*subscribers))
    return await claim_one(store)


async def finish(store: JobStore, claim: Claim, outcome: Outcome = PASSED) -> None:
    assert await store.finish(claim.job_id, claim.fence, outcome)


async def ended(store: JobStore, *subscribers: Subscriber) -> JobId:
    """Submit, claim and finish a job that those are told of; nobody has told them."""
    claim = await start(store, *subscribers)
    await finish(store, claim)
    return claim.job_id


async def take_all(store: JobStore, receiver: ReceiverName = CONVEX, slots: int = 10) -> list[Delivery]:
    return list(await store.take_deliveries(BUILDS, receiver, slots))


async def take_one(store: JobStore, receiver: ReceiverName = CONVEX) -> Delivery:
    [delivery] = await take_all(store, receiver)
    return delivery


async def state_of(store: JobStore, job_id: JobId) -> DeliveryState:
    [state] = await store.deliveries(job_id)
    return state


def keys_of_deliveries(raw: redis.Redis, prefix: str) -> set[str]:
    """Returns: all keys of the outbox, without what they begin with."""
    names = (key.decode().rpartition("}:")[2] for key in raw.scan_iter(f"{prefix}:*", count=1000))
    return {name for name in names if name.startswith(("outbox", "delivery", "disabled"))}
