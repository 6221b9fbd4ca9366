"""Who installs, who waits, who uses what is there, and what goes: on a shelf in memory, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

import attrs
import pytest

from chef_supervisor.dependencies.cache import DependencyCache, Entry, Installed
from chef_supervisor.dependencies.key import Recipe
from chef_supervisor.dependencies.ledger import Ledger
from chef_supervisor.domain.errors import DependenciesRefused, SandboxUnavailable
from chef_supervisor.domain.work import Work
from tests.kit.virtual_time import virtual
from tests.unit.dependencies.fake_shelf import FakeShelf

INSTALL_S = 30.0
DAY_S = 86_400.0


def recipe(lock: str = "lock", *, locked: bool = True) -> Recipe:
    work = Work(files={"lock": lock.encode()}, steps=(), timeout_s=60)
    return Recipe(identity="fake", works=(work,), locked=locked, tenant="one")


@attrs.define(eq=False)
class Installs:
    """Counts installs; `fails` of the first ones fail."""

    fails: int = 0
    begun: int = 0
    open: int = 0
    keys: list[str] = attrs.field(factory=list)

    def __call__(self, key: str) -> AbstractAsyncContextManager[Installed | None]:
        return self._install(key)

    @asynccontextmanager
    async def _install(self, key: str) -> AsyncIterator[Installed | None]:
        self.begun += 1
        self.keys.append(key)
        failed = self.begun <= self.fails
        self.open += 1
        try:
            await asyncio.sleep(INSTALL_S)
            yield None if failed else Installed(staging="staging", notes=("a note",))
        finally:
            self.open -= 1


def make(shelf: FakeShelf, max_bytes: int = 100) -> DependencyCache:
    clock: Callable[[], float] = lambda: asyncio.get_running_loop().time()  # noqa: E731
    return DependencyCache(shelf, max_bytes=max_bytes, max_entry_bytes=50, unlocked_s=DAY_S, ledger=Ledger(clock))


async def use(cache: DependencyCache, of: Recipe, installs: Installs, for_s: float = 0) -> Entry | None:
    async with cache.entry(of, installs) as entry:
        await asyncio.sleep(for_s)
        return entry


@virtual
async def test_what_is_there_is_used_without_a_call() -> None:
    shelf, installs = FakeShelf(), Installs()
    cache = make(shelf)
    made = await use(cache, recipe(), installs)
    shelf.calls.clear()

    again = await use(cache, recipe(), installs)

    assert made is not None
    assert again == attrs.evolve(made, hit=True)
    assert (made.hit, made.notes) == (False, ("a note",))
    assert (installs.begun, installs.open, shelf.calls) == (1, 0, [])


@virtual
async def test_of_many_who_need_the_same_one_installs() -> None:
    cache, installs = make(FakeShelf()), Installs()

    entries = await asyncio.gather(*(use(cache, recipe(), installs, for_s=100) for _ in range(8)))

    assert installs.begun == 1
    assert sorted(entry.hit for entry in entries if entry) == [False] + [True] * 7


@virtual
async def test_installs_of_different_keys_do_not_wait_for_each_other() -> None:
    cache, installs = make(FakeShelf()), Installs()

    async with asyncio.timeout(1.5 * INSTALL_S):
        await asyncio.gather(*(use(cache, recipe(str(number)), installs) for number in range(3)))

    assert installs.begun == 3


@virtual
async def test_where_the_installer_is_cancelled_the_next_one_takes_over() -> None:
    cache, installs = make(FakeShelf()), Installs()
    first = asyncio.create_task(use(cache, recipe(), installs))
    second = asyncio.create_task(use(cache, recipe(), installs))
    await asyncio.sleep(INSTALL_S / 2)

    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    entry = await second

    assert entry is not None
    assert (installs.begun, installs.open) == (2, 0)


@virtual
async def test_a_failed_install_fails_its_own_job_alone() -> None:
    cache, installs = make(FakeShelf()), Installs(fails=1)

    entries = await asyncio.gather(*(use(cache, recipe(), installs) for _ in range(3)))

    assert [entry is None for entry in entries] == [True, False, False]
    assert installs.begun == 2


@virtual
async def test_what_is_refused_is_an_error_and_nothing_is_known_of_it() -> None:
    shelf, installs = FakeShelf(refuses="they are too large"), Installs()
    cache = make(shelf)

    for _ in range(2):
        with pytest.raises(DependenciesRefused, match="because they are too large"):
            await use(cache, recipe(), installs)

    assert (installs.begun, installs.open) == (2, 0)


@virtual
async def test_what_another_supervisor_installed_meanwhile_is_found() -> None:
    shelf, installs = FakeShelf(), Installs()
    ours, theirs = make(shelf), make(shelf)
    await use(ours, recipe("other"), installs)

    await use(theirs, recipe(), installs)
    entry = await use(ours, recipe(), installs)

    assert entry is not None
    assert entry.hit
    assert installs.begun == 2


@virtual
async def test_what_was_installed_without_a_lock_file_is_used_for_a_day() -> None:
    shelf, installs = FakeShelf(), Installs()
    cache, unlocked = make(shelf), recipe(locked=False)
    first = await use(cache, unlocked, installs)

    await asyncio.sleep(DAY_S - 60)
    before = await use(cache, unlocked, installs)
    await asyncio.sleep(120)
    after = await use(cache, unlocked, installs)

    assert first is not None
    assert before is not None
    assert after is not None
    assert (first.key, before.hit, after.hit) == (before.key, True, False)
    assert after.key != first.key
    assert shelf.stored.keys() == {after.key}


@virtual
async def test_an_expired_entry_stays_for_the_job_that_uses_it() -> None:
    shelf, installs = FakeShelf(), Installs()
    cache, unlocked = make(shelf), recipe(locked=False)
    async with cache.entry(unlocked, installs) as old:
        await asyncio.sleep(DAY_S + 1)
        new = await use(cache, unlocked, installs)

        assert old is not None
        assert new is not None
        assert shelf.stored.keys() == {old.key, new.key}


@virtual
async def test_what_was_used_least_recently_goes_first_and_never_what_is_used() -> None:
    shelf, installs = FakeShelf(size=40), Installs()
    cache = make(shelf, max_bytes=100)
    async with AsyncExitStack() as stack:
        held = await stack.enter_async_context(cache.entry(recipe("held"), installs))
        older = await use(cache, recipe("older"), installs)
        await use(cache, recipe("newer"), installs)
        assert older is not None
        assert held is not None
        assert older.key not in shelf.stored

        newest = await use(cache, recipe("newest"), installs)

        assert newest is not None
        assert shelf.stored.keys() == {held.key, newest.key}


@virtual
async def test_a_use_counts_for_what_is_least_recent() -> None:
    shelf, installs = FakeShelf(size=40), Installs()
    cache = make(shelf, max_bytes=100)
    first = await use(cache, recipe("first"), installs)
    second = await use(cache, recipe("second"), installs)
    await use(cache, recipe("first"), installs, for_s=5)

    await use(cache, recipe("third"), installs)

    assert first is not None
    assert second is not None
    assert first.key in shelf.stored
    assert second.key not in shelf.stored
    assert shelf.told[first.key] > shelf.stored[first.key].made_s


@virtual
async def test_what_a_box_of_another_supervisor_uses_is_spared_and_something_else_goes() -> None:
    shelf, installs = FakeShelf(size=40), Installs()
    cache = make(shelf, max_bytes=100)
    theirs = await use(cache, recipe("theirs"), installs)
    ours = await use(cache, recipe("ours"), installs)
    assert theirs is not None
    assert ours is not None
    shelf.in_use = {theirs.key}

    last = await use(cache, recipe("last"), installs)

    assert last is not None
    assert shelf.stored.keys() == {theirs.key, last.key}


@virtual
async def test_where_no_room_can_be_made_the_job_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    shelf, installs = FakeShelf(size=40), Installs()
    cache = make(shelf, max_bytes=50)
    await use(cache, recipe("first"), installs)
    shelf.stuck = True

    entry = await use(cache, recipe("second"), installs)

    assert entry is not None
    assert "dependencies.not_dropped" in [getattr(record, "event", "") for record in caplog.records]


@virtual
async def test_what_a_box_did_not_find_is_looked_for_and_installed_anew() -> None:
    shelf, installs = FakeShelf(), Installs()
    cache = make(shelf)
    entry = await use(cache, recipe(), installs)
    assert entry is not None
    shelf.stored.clear()

    cache.forget(entry)
    again = await use(cache, recipe(), installs)

    assert again == entry
    assert installs.begun == 2


@virtual
async def test_a_store_that_was_made_anew_has_another_secret_and_is_believed() -> None:
    shelf, installs = FakeShelf(), Installs()
    cache = make(shelf)
    entry = await use(cache, recipe(), installs)
    assert entry is not None
    shelf.stored.clear()
    shelf.secret = b"another secret"

    cache.forget(entry)
    again = await use(cache, recipe(), installs)

    assert again is not None
    assert again.key != entry.key
    assert await cache.base_key(recipe()) == again.key


@virtual
async def test_while_the_shelf_is_away_nothing_is_installed() -> None:
    shelf, installs = FakeShelf(away=True), Installs()
    cache = make(shelf)

    with pytest.raises(SandboxUnavailable):
        await use(cache, recipe(), installs)
    shelf.away = False

    assert await use(cache, recipe(), installs)
    assert installs.begun == 1
