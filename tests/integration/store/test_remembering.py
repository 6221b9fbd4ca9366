"""Results that are given again: remembered by the key of the work, never longer than their jobs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytest_asyncio
import redis

from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store.answers import Remembered
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, FAILED, LINT, PASSED, Clock, a_job, run_jobs, submit
from tests.kit.fake_store import FakeStore

pytestmark = pytest.mark.asyncio
KEY = "ab" * 32


@pytest_asyncio.fixture(params=["redis", "fake"])
async def either(request: pytest.FixtureRequest, make_store: Callable[..., RedisJobStore]) -> JobStore:
    """What is true of the store is true of the one that other tests use in its place."""
    return make_store() if request.param == "redis" else FakeStore()


@pytest.mark.parametrize("outcome", [PASSED, FAILED], ids=["passed", "failed"])
async def test_the_end_of_a_job_is_remembered_whole(either: JobStore, outcome: Outcome) -> None:
    [job_id] = await run_jobs(either, [a_job()], outcome)

    await either.remember_result(job_id, KEY, 60)

    assert await either.remembered(BUILDS, KEY) == Remembered(job_id, outcome)


async def test_nothing_is_remembered_of_other_work_or_in_another_queue(either: JobStore) -> None:
    [job_id] = await run_jobs(either, [a_job()])

    await either.remember_result(job_id, KEY, 60)

    assert await either.remembered(BUILDS, "cd" * 32) is None
    assert await either.remembered(LINT, KEY) is None


async def test_the_last_job_that_did_the_work_is_the_one_that_is_remembered(either: JobStore) -> None:
    first, last = await run_jobs(either, [a_job(), a_job()])

    await either.remember_result(first, KEY, 60)
    await either.remember_result(last, KEY, 60)

    assert await either.remembered(BUILDS, KEY) == Remembered(last, PASSED)


async def test_a_job_without_an_end_is_no_answer(either: JobStore) -> None:
    [job_id] = await submit(either, a_job())

    await either.remember_result(job_id, KEY, 60)

    assert await either.remembered(BUILDS, KEY) is None


async def test_a_memory_goes_away_by_itself(store: RedisJobStore, raw: redis.Redis, prefix: str) -> None:
    [job_id] = await run_jobs(store, [a_job()])

    await store.remember_result(job_id, KEY, 90)

    assert 60_000 < raw.pttl(f"{prefix}:{{builds.0}}:cached:{KEY}") <= 90_000


async def test_a_forgotten_job_is_no_answer(make_store: Callable[..., RedisJobStore], clock: Clock) -> None:
    store = make_store(keep_jobs=1)
    [first] = await run_jobs(store, [a_job()])
    clock.pass_ms(1)
    [last] = await run_jobs(store, [a_job()])

    await store.remember_result(first, KEY, 60)
    await store.remember_result(last, "cd" * 32, 60)

    assert await store.remembered(BUILDS, KEY) is None
    assert await store.remembered(BUILDS, "cd" * 32) is not None


@pytest.mark.parametrize(
    "stored", [b"", b"\xff", b"nonsense", b"tests.0_" + b"a" * 26], ids=["empty", "no text", "no id", "another queue"]
)
async def test_a_memory_that_names_no_job_of_the_queue_is_none(
    store: RedisJobStore, raw: redis.Redis, prefix: str, stored: bytes
) -> None:
    raw.set(f"{prefix}:{{builds.0}}:cached:{KEY}", stored)

    assert await store.remembered(BUILDS, KEY) is None


@pytest.mark.parametrize(
    "stored",
    [b'\x00{"verdict":"passed","fromTheFuture":1}', b'\x00{"verdict":"wonderful"}', b"\x00[]", b"\x00{", b"\x07{}"],
    ids=["a field more", "another word", "another shape", "cut", "another packing"],
)
async def test_a_result_of_another_version_is_found_out_anew(
    store: RedisJobStore, raw: redis.Redis, prefix: str, stored: bytes
) -> None:
    [job_id] = await run_jobs(store, [a_job()])
    await store.remember_result(job_id, KEY, 60)

    raw.set(f"{prefix}:{{builds.0}}:result:{job_id}", stored)

    assert await store.remembered(BUILDS, KEY) is None
