"""Logs of jobs: in order, bounded, written by the run that holds the job and by nobody else, counted and forgotten."""

from __future__ import annotations

import random
from collections.abc import Callable

import attrs
import pytest
import pytest_asyncio
import redis

from chef_supervisor.domain.errors import CorruptState, StoreFull, StoreUnavailable
from chef_supervisor.domain.job import Claim, JobId
from chef_supervisor.domain.job_log import LogPiece, LogPosition
from chef_supervisor.store.answers import Blame
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.store.keys import QueueKeys
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, Clock, a_job, claim_one, submit
from tests.kit.fake_store import FakeStore
from tests.kit.invariants import violations
from tests.kit.redis_servers import RedisProcess

pytestmark = pytest.mark.asyncio
START = LogPosition()
# What a piece counts besides its bytes.
EXTRA = 128


@pytest_asyncio.fixture(params=["redis", "fake"])
async def either(request: pytest.FixtureRequest, make_store: Callable[..., RedisJobStore]) -> JobStore:
    """What is true of the store is true of the one that other tests use in its place."""
    return make_store() if request.param == "redis" else FakeStore()


async def a_claim(store: JobStore) -> Claim:
    await submit(store, a_job())
    return await claim_one(store)


def piece(end: int, content: bytes, run: int = 1, step: str = "build") -> LogPiece:
    return LogPiece(run=run, step=step, end=end, content=content)


def pieces(number: int, size: int) -> list[LogPiece]:
    """Returns: pieces of that size, one after the other, each with a content of its own."""
    return [piece((n + 1) * size, b"%06d" % n + bytes(size - 6)) for n in range(number)]


async def all_of(store: JobStore, job_id: JobId) -> list[LogPiece]:
    return [*await store.read_log(job_id, START, 1_000_000)]


async def test_what_was_written_is_read_in_order_from_any_place(either: JobStore) -> None:
    claim = await a_claim(either)
    first, second = piece(2, b"ab"), piece(5, b"\0\xff\n", step="tests \u00fc")
    # Two bytes before it were left out.
    third = piece(3007, b"x" * 3000)

    assert await either.append_log(claim.job_id, claim.fence, [first, second])
    assert await either.append_log(claim.job_id, claim.fence, [third])

    assert await all_of(either, claim.job_id) == [first, second, third]
    assert await either.read_log(claim.job_id, START, 1) == [first]
    assert await either.read_log(claim.job_id, LogPosition(1, 2), 9) == [second, third]
    assert await either.read_log(claim.job_id, LogPosition(1, 100), 9) == [third]
    assert await either.read_log(claim.job_id, LogPosition(1, 3007), 9) == []
    assert (third.start, second.start) == (7, 2)


async def test_what_comes_again_is_not_added_twice(either: JobStore) -> None:
    claim = await a_claim(either)
    told = pieces(3, 10)
    await either.append_log(claim.job_id, claim.fence, told[:2])

    assert await either.append_log(claim.job_id, claim.fence, told)

    assert await all_of(either, claim.job_id) == told


async def test_nobody_but_who_holds_the_job_writes(either: JobStore) -> None:
    claim = await a_claim(either)
    stale = attrs.evolve(claim.fence, nonce="0" * 32)

    assert not await either.append_log(claim.job_id, stale, [piece(1, b"x")])
    await either.finish(claim.job_id, claim.fence, PASSED)
    assert not await either.append_log(claim.job_id, claim.fence, [piece(1, b"x")])

    assert await all_of(either, claim.job_id) == []


async def test_the_next_run_begins_its_log_anew(either: JobStore) -> None:
    claim = await a_claim(either)
    await either.append_log(claim.job_id, claim.fence, pieces(5, 1000))
    await either.release(claim.job_id, claim.fence)
    before = await all_of(either, claim.job_id)

    again = await claim_one(either)
    await either.append_log(again.job_id, again.fence, [piece(4, b"anew", run=2)])

    assert len(before) == 5
    assert await all_of(either, claim.job_id) == [piece(4, b"anew", run=2)]
    # Also for whoever had read more of the run before.
    assert await either.read_log(claim.job_id, LogPosition(1, 4000), 9) == [piece(4, b"anew", run=2)]


async def test_of_no_job_there_is_no_log(either: JobStore) -> None:
    assert await all_of(either, a_job().job_id) == []


async def test_the_first_and_the_last_are_kept_and_the_middle_goes(make_store: Callable[..., RedisJobStore]) -> None:
    store, size = make_store(log_bytes=20 * 1000), 1000 - EXTRA
    claim, told = await a_claim(store), pieces(100, size)

    for start in range(0, 100, 7):
        await store.append_log(claim.job_id, claim.fence, told[start : start + 7])

    assert await all_of(store, claim.job_id) == told[:10] + told[90:]


async def test_a_log_is_bounded_in_entries_too(make_store: Callable[..., RedisJobStore]) -> None:
    store = make_store(log_bytes=64 * (EXTRA + 6))
    claim = await a_claim(store)

    for start in range(0, 1000, 100):
        await store.append_log(claim.job_id, claim.fence, pieces(1000, 6)[start : start + 100])

    assert len(await all_of(store, claim.job_id)) == 64


async def test_a_piece_that_is_too_large_alone_is_kept_until_the_next(make_store: Callable[..., RedisJobStore]) -> None:
    store = make_store(log_bytes=1000)
    claim = await a_claim(store)

    for told in pieces(3, 5000):
        await store.append_log(claim.job_id, claim.fence, [told])

        assert await all_of(store, claim.job_id) == [told]


async def test_where_the_beginning_is_gone_no_later_piece_is_taken_for_it(
    make_store: Callable[..., RedisJobStore],
) -> None:
    store, small = make_store(log_bytes=4000), 200 - EXTRA
    claim = await a_claim(store)
    await store.append_log(claim.job_id, claim.fence, [piece(5000, bytes(5000))])

    told = [piece(5000 + (n + 1) * small, b"%06d" % n + bytes(small - 6)) for n in range(40)]
    for one in told:
        await store.append_log(claim.job_id, claim.fence, [one])

    assert await all_of(store, claim.job_id) == told[20:]


async def test_bytes_are_counted_exactly_and_go_with_the_job(
    make_store: Callable[..., RedisJobStore], raw: redis.Redis, prefix: str, clock: Clock
) -> None:
    store = make_store(keep_jobs=1, log_bytes=50_000)
    keys = QueueKeys(prefix, BUILDS)
    accepted = []
    for n in range(4):
        clock.pass_ms(1)
        claim = await a_claim(store)
        accepted.append(claim.job_id)
        for start in range(0, 90, 30):
            await store.append_log(claim.job_id, claim.fence, pieces(90, 1000 + n)[start : start + 30])
            assert violations(raw, accepted, prefix=prefix) == []
        if n == 2:
            await store.postpone(claim.job_id, claim.fence, Blame.PROJECT, "again", 0)
            assert violations(raw, accepted, prefix=prefix) == []
            claim = await claim_one(store)
            await store.append_log(claim.job_id, claim.fence, [piece(9, b"x" * 9, run=2)])
            assert violations(raw, accepted, prefix=prefix) == []
        await store.finish(claim.job_id, claim.fence, PASSED)
        assert violations(raw, accepted, prefix=prefix) == []

    there = [job_id for job_id in accepted if raw.exists(keys.log(job_id))]
    assert there == accepted[-1:]
    stored = int(raw.hget(keys.job(accepted[-1]), "bytes") or 0)
    assert stored > sum(EXTRA for _ in await all_of(store, accepted[-1]))


async def test_a_log_is_no_weight_to_whoever_claims_its_job(make_store: Callable[..., RedisJobStore]) -> None:
    store = make_store(log_bytes=16 << 20)
    jobs = [a_job(), a_job()]
    await submit(store, *jobs)
    for claim in await store.claim(BUILDS, 2):
        # Such that even packed it is more than a claim reads at once.
        noise = [piece((n + 1) << 16, random.Random(n).randbytes(1 << 16)) for n in range(32)]
        await store.append_log(claim.job_id, claim.fence, noise)
        await store.release(claim.job_id, claim.fence)

    assert len(await store.claim(BUILDS, 2)) == 2


async def test_a_log_expires_where_nobody_is_there_to_forget_it(
    make_store: Callable[..., RedisJobStore], raw: redis.Redis, prefix: str
) -> None:
    store = make_store(keep_s=100)
    claim = await a_claim(store)

    await store.append_log(claim.job_id, claim.fence, pieces(1, 10))

    left_ms = raw.pttl(QueueKeys(prefix, BUILDS).log(claim.job_id))
    assert 100_000 < left_ms <= 100_000 + 3_600_000


async def test_a_full_server_takes_no_log_and_still_takes_the_end(own_redis: RedisProcess) -> None:
    store = RedisJobStore(own_redis.config())
    claim = await a_claim(store)
    with own_redis.client() as client:
        client.config_set("maxmemory", 1)

    with pytest.raises(StoreFull):
        await store.append_log(claim.job_id, claim.fence, pieces(1, 10))

    assert await store.finish(claim.job_id, claim.fence, PASSED)
    assert await all_of(store, claim.job_id) == []
    await store.close()


async def test_a_store_that_is_away_says_so(own_redis: RedisProcess) -> None:
    store = RedisJobStore(own_redis.config(command_timeout_s=0.5))
    claim = await a_claim(store)
    own_redis.kill()

    with pytest.raises(StoreUnavailable):
        await store.append_log(claim.job_id, claim.fence, pieces(1, 10))

    await store.close()


@pytest.mark.parametrize("damage", ["another type", "another entry"])
async def test_a_log_that_is_none_is_told_as_such(
    store: RedisJobStore, raw: redis.Redis, prefix: str, damage: str
) -> None:
    claim = await a_claim(store)
    key = QueueKeys(prefix, BUILDS).log(claim.job_id)
    if damage == "another type":
        raw.set(key, "text")
    else:
        raw.xadd(key, {"some": "thing"})

    with pytest.raises(CorruptState):
        await all_of(store, claim.job_id)
