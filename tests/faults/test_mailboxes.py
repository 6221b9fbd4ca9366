"""F35: somebody does not read its mailbox. What is told it waits with the sender, and the work waits in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import pytest

from chef_supervisor.domain.job import JobStatus, RunId
from chef_supervisor.kernel import Actor, ChildSpec, MailboxFull, Ref, run_tree
from chef_supervisor.protocol import Holdings, StartJobs, WorkArrived
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, virtual
from tests.unit.actors.house import BUILDS, TESTS, House

CAPACITY: Final = 2
SLOTS: Final = 10
# A check of health that sees no beat for so long says that the dispatcher does not turn.
SILENT_S: Final = 10.0


@attrs.define(eq=False)
class Clogged(Actor[Any]):
    """A pool that holds no job, and is stuck at the first that it is to start until it is let go on."""

    free: asyncio.Event
    started: list[RunId]

    async def receive(self, message: object) -> frozenset[RunId] | None:
        match message:
            case Holdings():
                return frozenset(self.started)
            case StartJobs(claims):
                await self.free.wait()
                self.started += [claim.run for claim in claims]
            case _:
                raise AssertionError(message)
        return None


@attrs.define(eq=False)
class CloggedHouse(House):
    """A house whose pools do not read what they are told."""

    free: asyncio.Event = attrs.field(factory=asyncio.Event)
    started: list[RunId] = attrs.field(factory=list)

    def _pool(self, queue: Any, runners: Ref[Any]) -> ChildSpec:
        return ChildSpec(self.pools[queue], lambda: Clogged(self.free, self.started))


@asynccontextmanager
async def clogged(waiting: int) -> AsyncIterator[CloggedHouse]:
    stop = asyncio.Event()
    it = CloggedHouse(pools={queue: Ref(queue, capacity=CAPACITY) for queue in (BUILDS, TESTS)})
    async with asyncio.TaskGroup() as group:
        group.create_task(run_tree(it.tree(SLOTS), stop))
        try:
            await until(lambda: it.vitals.dispatched_at is not None)
            # One by one, for what waits together is told together: one is in the pool's hands, one has no room.
            for count in range(1, CAPACITY + 3):
                await it.submit(BUILDS, 1)
                await until(lambda count=count: claimed(it) == count)  # type: ignore[misc]
            await it.submit(BUILDS, waiting - CAPACITY - 2)
            yield it
        finally:
            it.free.set()
            stop.set()


def claimed(it: House) -> int:
    return statuses(it).count(JobStatus.PROCESSING)


def tell_often(it: House, times: int) -> None:
    for _ in range(times):
        it.dispatcher.tell_nowait(WorkArrived(BUILDS))


def statuses(it: House) -> list[JobStatus]:
    return [held.state.status for held in it.store.jobs.values()]


@virtual
async def test_f35_a_pool_that_does_not_read_holds_the_dispatcher_up_and_nothing_piles_up() -> None:
    async with clogged(waiting=100) as it:
        await asyncio.sleep(60)

        # No more than the slots allow: the rest waits in Redis, where others can take it.
        assert CAPACITY < statuses(it).count(JobStatus.PROCESSING) <= SLOTS
        assert statuses(it).count(JobStatus.PENDING) >= 100 - SLOTS
        assert len(it.pools[BUILDS].unread) == CAPACITY
        assert len(it.dispatcher.unread) <= 4


@virtual
async def test_f35_that_the_dispatcher_is_held_up_can_be_seen() -> None:
    async with clogged(waiting=100) as it:
        await asyncio.sleep(60)

        assert it.vitals.dispatched_at is not None
        assert now_s() - it.vitals.dispatched_at > SILENT_S


@virtual
async def test_f35_hints_to_a_dispatcher_that_is_held_up_are_refused_when_there_is_no_room() -> None:
    async with clogged(waiting=100) as it:
        with pytest.raises(MailboxFull):
            tell_often(it, 10_000)


@virtual
async def test_f35_when_the_pool_reads_again_it_has_all_that_was_claimed() -> None:
    async with clogged(waiting=SLOTS) as it:
        it.free.set()

        await until(lambda: len(it.started) == SLOTS)
        assert len(set(it.started)) == SLOTS
