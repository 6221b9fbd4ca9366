"""A server that is not fit: refused at the start, endured later, and told of once either way."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.actors.store_guard import StoreGuard
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.kernel import ChildSpec, Ref, StartFailed, SupervisorSpec, run_tree
from chef_supervisor.store.answers import Preflight
from chef_supervisor.store.fitness import Fitness
from tests.kit.fake_store import FakeStore
from tests.kit.recording import alone, until
from tests.kit.virtual_time import virtual

UNFIT = Preflight(refusals=("it is a replica", "it is too old"))


def events(caplog: pytest.LogCaptureFixture, *names: str) -> list[tuple[str, str]]:
    """Returns: level and event of what was logged."""
    found = [(record.levelname, str(getattr(record, "event", ""))) for record in caplog.records]
    return [(level, event) for level, event in found if event in names]


def guard(store: FakeStore, fitness: Fitness) -> StoreGuard:
    return StoreGuard(store=store, fitness=fitness, interval_s=5.0)


@virtual
async def test_an_unfit_server_is_refused_at_the_start_with_every_fault() -> None:
    store, fitness = FakeStore(found=UNFIT), Fitness()
    spec = SupervisorSpec("test", (ChildSpec(Ref("guard"), build=lambda: guard(store, fitness)),))

    with pytest.raises(StartFailed) as failed:
        await run_tree(spec, asyncio.Event())

    assert isinstance(failed.value.__cause__, Misconfigured)
    assert failed.value.__cause__.faults == UNFIT.refusals


@virtual
async def test_a_server_that_is_away_is_waited_for_and_looked_at_when_it_is_back() -> None:
    store, fitness = FakeStore(away=True, found=UNFIT), Fitness()

    async with alone(Ref("guard"), lambda: guard(store, fitness)):
        await until(lambda: store.calls.get("preflight", 0) == 3)
        assert fitness.refusals == ()
        store.away = False
        await until(lambda: fitness.refusals == UNFIT.refusals)


def test_a_server_that_comes_to_be_unfit_is_told_of_once_and_so_is_its_recovery(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")

    @virtual
    async def unfit_for_a_minute() -> None:
        store, fitness = FakeStore(), Fitness()
        async with alone(Ref("guard"), lambda: guard(store, fitness)):
            await asyncio.sleep(1)
            store.found = UNFIT
            await asyncio.sleep(60)
            assert fitness.refusals == UNFIT.refusals
            store.found = Preflight()
            await asyncio.sleep(60)
            assert fitness.refusals == ()

    unfit_for_a_minute()

    assert events(caplog, "store.unfit", "store.fit") == [("ERROR", "store.unfit"), ("INFO", "store.fit")]


def test_a_guard_that_is_started_anew_does_not_refuse_what_the_process_runs_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @virtual
    async def started_anew() -> None:
        fitness = Fitness(found=Preflight(), begun=True)
        async with alone(Ref("guard"), lambda: guard(FakeStore(found=UNFIT), fitness)):
            await until(lambda: fitness.refusals == UNFIT.refusals)

    started_anew()

    assert events(caplog, "store.unfit") == [("ERROR", "store.unfit")]


def test_each_warning_is_told_once_and_so_is_what_a_crash_costs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    @virtual
    async def a_minute_each() -> None:
        store = FakeStore(found=Preflight(warnings=("no bound",), loss="may lose all jobs"))
        async with alone(Ref("guard"), lambda: guard(store, Fitness())):
            await asyncio.sleep(60)
            store.found = Preflight(warnings=("no bound", "nearly full"), loss="may lose all jobs")
            await asyncio.sleep(60)

    a_minute_each()

    told = [record.getMessage() for record in caplog.records if getattr(record, "event", "").startswith("store.")]
    assert told == ["a crash of Redis may lose all jobs", "no bound", "nearly full"]
