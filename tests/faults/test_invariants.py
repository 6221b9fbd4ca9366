"""The checker itself: on a queue that is well it finds nothing, and whatever is made wrong it finds and names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import attrs
import pytest
import pytest_asyncio
import redis

from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.store.keys import QueueKeys
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import FAILED, PASSED, a_job, claim_one
from tests.kit import invariants
from tests.kit.invariants import violations
from tests.kit.redis_servers import REDIS_62, RedisServer, running_process

BUILDS: Final = QueueName("builds")
KEYS: Final = QueueKeys("chef", BUILDS)


@attrs.frozen(kw_only=True)
class Ledger:
    """A queue with one job of each kind."""

    raw: redis.Redis
    passed: JobId
    failed: JobId
    running: JobId
    waiting: JobId

    @property
    def accepted(self) -> list[str]:
        return [self.passed, self.failed, self.running, self.waiting]

    def score(self, name: str, member: str) -> None:
        self.raw.zadd(KEYS.key(name), {member: 1})

    def set(self, job_id: JobId, field: str, value: str) -> None:
        self.raw.hset(KEYS.job(job_id), field, value)

    def count(self, name: str, by: int) -> None:
        self.raw.hincrby(KEYS.key("counters"), name, by)

    def tell(self, job_id: JobId, status: str) -> None:
        fields: Any = {
            "kind": f"job.{status}",
            "job": job_id,
            "type": "build",
            "status": status,
            "progress": 0,
            "at": 1,
        }
        self.raw.xadd(KEYS.key("events"), fields, id="1000-0")


@pytest_asyncio.fixture
async def ledger() -> AsyncIterator[Ledger]:
    with running_process(REDIS_62) as server:
        store = RedisJobStore(server.config())
        try:
            with server.client() as raw:
                yield await filled(store, server, raw)
        finally:
            await store.close()


async def filled(store: RedisJobStore, server: RedisServer, raw: redis.Redis) -> Ledger:
    jobs = [a_job(payload=b"{}" * size) for size in (1, 10, 100, 1000)]
    for job in jobs:
        await store.submit(job)
    for outcome in (PASSED, FAILED):
        claim = await claim_one(store)
        assert await store.finish(claim.job_id, claim.fence, outcome)
    await claim_one(store)
    passed, failed, running, waiting = (job.job_id for job in jobs)
    return Ledger(raw=raw, passed=passed, failed=failed, running=running, waiting=waiting)


@pytest.mark.asyncio
async def test_nothing_is_found_where_nothing_is_wrong(ledger: Ledger) -> None:
    assert violations(ledger.raw, ledger.accepted) == []


@pytest.mark.asyncio
async def test_what_still_waits_and_runs_is_found_where_all_should_be_over(ledger: Ledger) -> None:
    found = violations(ledger.raw, ledger.accepted, over=True)

    assert sorted(found) == sorted([f"{ledger.running} is still processing", f"{ledger.waiting} is still pending"])


PLANTED: Final[dict[str, tuple[Callable[[Ledger], object], str]]] = {
    "lost": (lambda its: its.raw.delete(KEYS.job(its.waiting)), "was accepted and is lost"),
    "in no set": (lambda its: its.raw.zrem(KEYS.key("active"), its.running), "is processing and in []"),
    "in two sets": (lambda its: its.score("pending", f"000000000009:{its.running}"), "in ['pending', 'active']"),
    "in the wrong set": (lambda its: its.score("completed", its.failed), "in ['completed', 'failed']"),
    "a member without a job": (lambda its: its.score("active", "builds.0_none"), "there is no such job"),
    "without a holder": (lambda its: its.raw.hdel(KEYS.job(its.running), "fence"), "with the fence ''"),
    "held while it waits": (lambda its: its.set(its.waiting, "fence", "1:x"), "with the fence '1:x'"),
    "queued bytes": (lambda its: its.count("queued_bytes", 1), "queued_bytes is"),
    "kept bytes": (lambda its: its.count("kept_bytes", -1), "kept_bytes is"),
    "kept jobs": (lambda its: its.count("kept_failed", 1), "kept_failed is 2, and a recount gives 1"),
    "ended twice": (lambda its: its.tell(its.passed, "completed"), "told to be completed after"),
    "ended otherwise than told": (lambda its: its.set(its.passed, "status", "failed"), "the end that was told"),
    "told to be over and is not": (lambda its: its.tell(its.waiting, "cancelled"), "told is cancelled"),
    "told after its end": (lambda its: its.tell(its.failed, "processing"), "told to be processing after"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize(("plant", "words"), PLANTED.values(), ids=PLANTED)
async def test_what_is_planted_is_found(ledger: Ledger, plant: Callable[[Ledger], object], words: str) -> None:
    plant(ledger)

    found = violations(ledger.raw, ledger.accepted)

    assert [sentence for sentence in found if words in sentence], found


@pytest.mark.asyncio
async def test_a_job_past_its_retention_is_not_lost(ledger: Ledger) -> None:
    kept = int(ledger.raw.hget(KEYS.job(ledger.passed), "bytes") or 0)
    ledger.raw.delete(KEYS.job(ledger.passed))
    ledger.raw.zrem(KEYS.key("completed"), ledger.passed)
    ledger.count("kept_completed", -1)
    ledger.count("kept_bytes", -kept)

    assert violations(ledger.raw, ledger.accepted) == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "run", "orphaned"),
    [("running", "1", False), ("running", "2", True), ("waiting", "1", True), ("passed", "1", True)],
    ids=["its own run", "another run", "a job that waits", "a job that is over"],
)
async def test_a_container_without_a_run_that_holds_its_job_is_found(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, name: str, run: str, orphaned: bool
) -> None:
    labels = {"chef.job": getattr(ledger, name), "chef.run": run}
    monkeypatch.setattr(invariants, "containers_of", lambda _host, _jobs: [(labels, "/chef-x")])
    monkeypatch.setattr(invariants, "_REMOVED_WITHIN_S", 0.0)

    found = violations(ledger.raw, ledger.accepted, containers="unix:///nowhere")

    assert bool(found) is orphaned
