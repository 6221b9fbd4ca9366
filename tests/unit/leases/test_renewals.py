"""Leases are renewed round after round, outlive an absent Redis, and are lost by an answer alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.job import Fence, JobId, RunId
from chef_supervisor.leases.renewals import Renewals
from tests.kit.fake_store import FakeStore
from tests.kit.virtual_time import now_s, settle, virtual

RENEW_S, RETRY_S, STALL_S = 3.0, 0.5, 60.0


@attrs.define(eq=False)
class LeaseBook(FakeStore):
    """Answers renewals by a list of those that are not ours any more; notes which were asked for, and when."""

    fenced: set[JobId] = attrs.field(factory=set)
    broken: set[JobId] = attrs.field(factory=set)
    asked: list[tuple[float, JobId]] = attrs.field(factory=list)
    answer_s: float = 0.0

    async def renew(self, job_id: JobId, fence: Fence) -> bool:
        self.asked.append((now_s(), job_id))
        ours = job_id not in self.fenced
        await asyncio.sleep(self.answer_s)
        await self._enter("renew")
        if job_id in self.broken:
            raise Bug("made to fail")
        return ours

    def times(self, job_id: JobId) -> list[float]:
        return [at for at, asked in self.asked if asked == job_id]


@attrs.define(eq=False)
class Bench:
    """Renewals that run, and who was told of a loss."""

    store: LeaseBook = attrs.field(factory=LeaseBook)
    lost: list[RunId] = attrs.field(factory=list)
    renewals: Renewals = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.renewals = Renewals(store=self.store, renew_s=RENEW_S, retry_s=RETRY_S, stall_s=STALL_S)

    def hold(self, name: str, number: int = 1) -> RunId:
        run = RunId(JobId(name), number)
        self.renewals.hold(run, Fence(number, "nonce"), lambda: self.lost.append(run))
        return run

    def drop(self, run: RunId) -> None:
        self.renewals.drop(run, Fence(run.number, "nonce"))

    async def turn(self) -> None:
        """What the watchdog does."""
        while True:
            self.renewals.turned()
            await asyncio.sleep(1.0)


@asynccontextmanager
async def bench(*, turns: bool = True) -> AsyncIterator[Bench]:
    it = Bench()
    async with asyncio.TaskGroup() as group:
        renewing = group.create_task(it.renewals.run())
        turning = group.create_task(it.turn() if turns else settle())
        await settle()
        yield it
        renewing.cancel()
        turning.cancel()


@virtual
async def test_every_lease_is_renewed_each_round() -> None:
    async with bench() as it:
        it.hold("a")
        it.hold("b")

        await asyncio.sleep(3 * RENEW_S + 1)

    assert it.store.times(JobId("a")) == it.store.times(JobId("b")) == [3.0, 6.0, 9.0]
    assert it.lost == []


@virtual
async def test_a_lease_that_is_dropped_is_not_renewed_any_more() -> None:
    async with bench() as it:
        run = it.hold("a")
        await asyncio.sleep(RENEW_S + 1)

        it.drop(run)
        await asyncio.sleep(10 * RENEW_S)

    assert it.store.times(JobId("a")) == [3.0]


@virtual
async def test_an_answer_that_it_is_fenced_is_told_once_and_ends_the_renewals_of_that_lease_alone() -> None:
    async with bench() as it:
        run = it.hold("a")
        it.hold("b")
        it.store.fenced.add(JobId("a"))

        await asyncio.sleep(3 * RENEW_S + 1)

    assert it.lost == [run]
    assert len(it.store.times(JobId("a"))) == 1
    assert len(it.store.times(JobId("b"))) == 3


@virtual
async def test_no_lease_is_lost_while_redis_is_away_and_all_are_asked_for_soon_after() -> None:
    async with bench() as it:
        it.hold("a")
        it.store.away = True
        await asyncio.sleep(600)
        before = len(it.store.asked)

        it.store.away = False
        await asyncio.sleep(RETRY_S)

    assert it.lost == []
    # Every half second, not faster, not slower.
    assert 1000 <= before <= 1200
    assert len(it.store.asked) == before + 1


@virtual
async def test_a_lease_lost_while_redis_was_away_is_told_when_it_is_back() -> None:
    async with bench() as it:
        run = it.hold("a")
        it.store.away = True
        await asyncio.sleep(30)
        it.store.fenced.add(JobId("a"))

        it.store.away = False
        await asyncio.sleep(RETRY_S + 0.1)

        assert it.lost == [run]


@virtual
async def test_what_is_dropped_while_it_is_asked_for_is_not_told_of() -> None:
    async with bench() as it:
        it.store.answer_s = 1.0
        run = it.hold("a")
        it.store.fenced.add(JobId("a"))
        await asyncio.sleep(RENEW_S + 0.5)

        it.drop(run)
        await asyncio.sleep(RENEW_S)

    assert len(it.store.asked) == 1
    assert it.lost == []


@virtual
async def test_what_is_held_anew_while_it_is_asked_for_is_not_lost_by_that_answer() -> None:
    async with bench() as it:
        it.store.answer_s = 1.0
        it.hold("a")
        it.store.fenced.add(JobId("a"))
        await asyncio.sleep(RENEW_S + 0.5)

        it.hold("a")
        it.store.fenced.clear()
        await asyncio.sleep(2 * RENEW_S)

    assert len(it.store.asked) == 2
    assert it.lost == []


@virtual
async def test_runs_of_one_job_are_told_apart() -> None:
    async with bench() as it:
        it.hold("a", number=1)
        second = it.hold("a", number=2)

        it.drop(second)
        await asyncio.sleep(RENEW_S + 1)

    assert len(it.store.asked) == 1


@virtual
async def test_two_runs_of_one_number_are_told_apart_by_their_fences() -> None:
    """A Redis that lost its last second has forgotten the claim, and gives its number again."""
    async with bench() as it:
        forgotten = it.hold("a")
        it.renewals.hold(forgotten, Fence(1, "another nonce"), lambda: it.lost.append(forgotten))

        it.drop(forgotten)
        await asyncio.sleep(RENEW_S + 1)
        assert it.store.times(JobId("a")) == [3.0]

        it.store.fenced.add(JobId("a"))
        await asyncio.sleep(RENEW_S)
        assert it.lost == [forgotten]


@virtual
async def test_renewals_that_are_asked_for_soon_do_not_wait_for_their_round() -> None:
    async with bench() as it:
        run = it.hold("a")
        it.store.fenced.add(JobId("a"))

        it.renewals.renew_soon()
        await settle()

        assert it.lost == [run]
        assert now_s() == 0


@virtual
async def test_nothing_is_renewed_while_the_main_loop_is_dead(caplog: pytest.LogCaptureFixture) -> None:
    async with bench(turns=False) as it:
        it.hold("a")

        await asyncio.sleep(10 * STALL_S)

    assert it.store.asked[-1][0] <= STALL_S + RENEW_S
    assert [getattr(record, "event", "") for record in caplog.records] == ["service.stalled"]


@virtual
async def test_renewals_go_on_when_the_main_loop_turns_again() -> None:
    async with bench(turns=False) as it:
        it.hold("a")
        await asyncio.sleep(10 * STALL_S)
        before = len(it.store.asked)

        it.renewals.turned()
        await asyncio.sleep(RETRY_S + 0.1)

    assert len(it.store.asked) == before + 1


@virtual
async def test_a_job_that_redis_holds_broken_costs_no_other_its_lease() -> None:
    async with bench() as it:
        it.hold("a")
        it.hold("b")
        it.store.broken.add(JobId("a"))

        await asyncio.sleep(3 * RENEW_S + 1)

    assert it.lost == []
    assert len(it.store.times(JobId("b"))) == 3
