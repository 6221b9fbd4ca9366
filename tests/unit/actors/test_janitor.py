"""What the janitor removes, when the jobs of the last process wait again, and that nothing keeps it from starting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import attrs
import pytest

from chef_supervisor.actors.janitor import Janitor
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId, QueueName, RunId
from chef_supervisor.kernel import Ref
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.store.answers import Reaped
from tests.kit.fake_sandbox import FakeSandbox
from tests.kit.fake_store import FakeStore
from tests.kit.recording import alone, until
from tests.kit.virtual_time import now_s, settle, virtual

BUILDS, TESTS = QueueName("builds"), QueueName("tests")
HELD, OVER = (RunId(JobId(f"builds.0_{letter * 26}"), 2) for letter in "ho")
SWEEP_S, PING_S = 15.0, 5.0


def box(handle: str, *, instance: str = "other", realm: str = "here", run: RunId | None = OVER) -> Leftover:
    return Leftover(
        handle=handle, kind=LeftoverKind.CONTAINER, role="job", instance=instance, realm=realm, run=run
    )  # fmt: skip


@attrs.define(eq=False)
class Records(FakeStore):
    """Notes who asked for what in which order; holds one run."""

    log: list[str] = attrs.field(factory=list)
    held: set[RunId] = attrs.field(factory=lambda: {HELD})
    sandbox: FakeSandbox | None = None

    async def take_back(self, queue: QueueName) -> Reaped:
        self._answer()
        left = [] if self.sandbox is None else [leftover.handle for leftover in self.sandbox.left]
        self.log.append(f"{queue} taken back, left {left}")
        return Reaped(requeued=(HELD.job_id,))

    async def owned(self, runs: Iterable[RunId]) -> frozenset[RunId]:
        self._answer()
        self.log.append("owned")
        return frozenset(runs) & self.held

    async def identity(self) -> str:
        self._answer()
        return "here"

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("made to fail")


@attrs.define(eq=False)
class World:
    """A janitor and what it works with."""

    sandbox: FakeSandbox = attrs.field(factory=FakeSandbox)
    store: Records = attrs.field(factory=Records)
    taken_over: asyncio.Event = attrs.field(factory=asyncio.Event)

    @asynccontextmanager
    async def janitor(self) -> AsyncIterator[WatchedSandbox]:
        """Run it; its start must not wait for anything."""
        self.store.sandbox = self.sandbox
        watched = WatchedSandbox(self.sandbox)

        def build() -> Janitor:
            return Janitor(
                store=self.store,
                sandbox=watched,
                mark="me",
                queues=(BUILDS, TESTS),
                sweep_s=SWEEP_S,
                ping_s=PING_S,
                taken_over=self.taken_over,
            )

        ref: Ref[object] = Ref("janitor")
        async with alone(ref, build):
            yield watched

    def left(self) -> set[str]:
        """Returns: what lies about."""
        return {leftover.handle for leftover in self.sandbox.left}


@virtual
async def test_old_boxes_are_gone_before_their_jobs_wait_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    world.sandbox.left = [box("mine", instance="me", run=HELD), box("live", run=HELD)]

    async with world.janitor():
        await world.taken_over.wait()

    assert now_s() < 2
    assert world.store.log[:2] == ["builds taken back, left ['live']", "tests taken back, left ['live']"]
    told = [record.__dict__.get("event") for record in caplog.records]
    assert told.index("orphan.removed") < told.index("job.pending")


@virtual
async def test_what_is_ours_from_another_realm_is_removed_at_start_too() -> None:
    world = World()
    world.sandbox.left = [box("mine", instance="me", realm="before"), box("early", instance="me", realm="", run=None)]

    async with world.janitor():
        await until(lambda: not world.sandbox.left)


@virtual
async def test_every_sweep_removes_what_holds_nothing_and_nothing_else() -> None:
    world = World()
    async with world.janitor():
        await world.taken_over.wait()
        await asyncio.sleep(1)
        world.sandbox.left = [
            box("over"),
            box("live", run=HELD),
            box("elsewhere", realm="elsewhere"),
            box("unknown", realm=""),
            box("of no run", run=None),
            box("of another queue", run=RunId(JobId("mine.0_" + 26 * "a"), 1)),
            box("of no job", run=RunId(JobId("nonsense"), 1)),
            box("mine of no run", instance="me", run=None),
        ]
        await asyncio.sleep(SWEEP_S)
        not_known = {"elsewhere", "unknown", "of no run", "of another queue", "of no job"}
        assert world.left() == {"live", *not_known}

        world.store.held.clear()
        await asyncio.sleep(SWEEP_S)
        assert world.left() == not_known


@virtual
async def test_after_the_start_our_own_boxes_go_by_their_runs_too() -> None:
    """One that could not be removed yet may be of a run whose end is not told yet."""
    world = World()
    async with world.janitor():
        await world.taken_over.wait()
        await asyncio.sleep(1)
        world.sandbox.left = [box("mine", instance="me", run=HELD)]
        await asyncio.sleep(3 * SWEEP_S)
        assert world.left() == {"mine"}

        world.store.held.clear()
        await until(lambda: not world.sandbox.left)


@virtual
async def test_a_box_is_asked_for_after_it_was_seen() -> None:
    """A job that is claimed between the two must not lose its box."""
    world = World()
    new = RunId(JobId("builds.0_" + 26 * "n"), 1)

    class Claims(FakeSandbox):
        async def leftovers(self) -> tuple[Leftover, ...]:
            found = tuple(await super().leftovers())
            if not world.taken_over.is_set() or new in world.store.held:
                return found
            world.store.held.add(new)
            self.left.append(box("new", run=new))
            return tuple(self.left)

    world.sandbox = Claims()
    async with world.janitor():
        await world.taken_over.wait()
        await asyncio.sleep(2 * SWEEP_S)

    assert "owned" in world.store.log
    assert world.left() == {"new"}


@virtual
async def test_while_redis_is_away_nothing_is_swept_and_nothing_claimed() -> None:
    world = World()
    world.store.away = True
    world.sandbox.left = [box("mine", instance="me"), box("over")]

    async with world.janitor():
        await asyncio.sleep(100)
        assert world.left() == {"over"}
        assert not world.taken_over.is_set()

        world.store.away = False
        back = now_s()
        await world.taken_over.wait()
        assert now_s() - back < 2
        await until(lambda: not world.sandbox.left)
        assert now_s() - back < 2


@virtual
async def test_an_engine_that_is_away_at_start_delays_no_job_and_is_caught_up_with() -> None:
    world = World()
    world.sandbox.away = True
    world.sandbox.left = [box("mine", instance="me", run=HELD)]

    async with world.janitor() as watched:
        await world.taken_over.wait()
        assert now_s() < 2
        await asyncio.sleep(60)
        assert watched.trouble is not None
        world.sandbox.away = False
        back = now_s()
        await until(lambda: not world.sandbox.left)

    # A pause between two probes.
    assert now_s() - back < 16


@virtual
async def test_an_engine_that_hangs_at_start_delays_old_jobs_by_some_seconds() -> None:
    world = World()
    world.sandbox.hangs = True

    async with world.janitor():
        await world.taken_over.wait()

    assert now_s() < 8


@virtual
async def test_jobs_are_taken_back_once_whatever_becomes_of_the_janitor() -> None:
    world = World()
    async with world.janitor():
        await world.taken_over.wait()
    world.store.log.clear()

    async with world.janitor():
        await asyncio.sleep(3 * SWEEP_S)

    assert not [line for line in world.store.log if "taken back" in line]


@virtual
async def test_what_ran_while_the_engine_was_away_goes_when_it_is_back() -> None:
    world = World()
    async with world.janitor() as watched:
        await world.taken_over.wait()
        await asyncio.sleep(SWEEP_S + 1)
        world.sandbox.away = True
        await until(lambda: watched.trouble is not None)
        assert now_s() < SWEEP_S + 1 + PING_S + 2
        world.sandbox.left = [box("over", instance="me")]
        world.sandbox.away = False
        await watched.recovered()
        await settle()
        back = now_s()
        await until(lambda: not world.sandbox.left)

    assert now_s() - back < 1


@virtual
async def test_boxes_are_marked_with_the_stores_name() -> None:
    world = World()

    async with world.janitor():
        await world.taken_over.wait()

    assert world.sandbox.realm == "here"
