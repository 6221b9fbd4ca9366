"""The cache of installed dependencies: who installs, who waits, who uses what is there, and what has to go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from typing import Final

import attrs

from chef_supervisor.dependencies.flights import Flights
from chef_supervisor.dependencies.key import Recipe, key_of
from chef_supervisor.dependencies.ledger import Ledger
from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.shelf import Bounds, Inventory, Shelf, Stored

_log: Final = logging.getLogger(__name__)
_ROUNDS: Final = 3
# How many of one recipe there may be, all but one of them expired and about to go.
_GENERATIONS: Final = 4


@attrs.frozen(kw_only=True)
class Installed:
    """What an install left in a staging place, ready to be kept; `notes` are sentences for every job that uses it."""

    staging: object
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Entry:
    """Dependencies that are there, for as long as the context lasts that gave it. `hit`: nothing was installed for it."""

    key: str
    notes: tuple[str, ...]
    hit: bool


Install = Callable[[str], AbstractAsyncContextManager[Installed | None]]


class DependencyCache:
    """
    One for the process, over the shelf of its sandbox.

    Args:
        max_bytes: of all entries; what was used least recently goes first, and never what a living box uses.
        max_entry_bytes: of one; a larger one is refused.
        unlocked_s: how long what was installed without a lock file is used.
    """

    def __init__(
        self, shelf: Shelf, *, max_bytes: int, max_entry_bytes: int, unlocked_s: float, ledger: Ledger | None = None
    ) -> None:
        self._shelf = shelf
        self._max_bytes = max_bytes
        self._bounds = Bounds(max_bytes=max_entry_bytes)
        self._unlocked_s = unlocked_s
        self._ledger = ledger or Ledger()
        self._flights = Flights()
        self._making_room = asyncio.Lock()
        self._secret: bytes | None = None

    async def base_key(self, recipe: Recipe) -> str:
        """
        Returns: what stands for the recipe, as long as the shelf is the same; it says nothing of its secrets.

        Raises:
            SandboxUnavailable: the shelf cannot be reached.
        """
        if self._secret is None:
            await self._look()
        return self._key(recipe)

    @asynccontextmanager
    async def entry(self, recipe: Recipe, install: Install) -> AsyncIterator[Entry | None]:
        """
        Use what is there, or have it installed: once, however many ask at a time; the others wait. Where an install
        fails, or whoever made it is cancelled, the next one who waits tries it.

        `install` is given the key that it is for, and yields None where it failed.

        Yields: the entry, which nobody removes while the context lasts; None where the install failed.

        Raises:
            DependenciesRefused: what was installed cannot be kept.
            SandboxUnavailable: the shelf cannot be reached.
        """
        base = await self.base_key(recipe)
        with ExitStack() as leases:
            async with self._flights.alone(base):
                entry = await self._found(recipe) or await self._made(recipe, install)
                if entry is not None:
                    leases.enter_context(self._ledger.lease(entry.key))
            if entry is not None and not entry.hit:
                await self._make_room()
            yield entry

    def forget(self, entry: Entry) -> None:
        """A box did not find it: whoever asks next looks for it again, and has it installed where it is gone."""
        self._ledger.forget(entry.key)
        extra = {"event": "dependencies.gone", "key": entry.key}
        _log.warning("dependencies are gone from their store; they are installed again", extra=extra)

    async def _found(self, recipe: Recipe) -> Entry | None:
        """Returns: what is there; what is not known here may have been installed by another supervisor."""
        if (entry := self._known(recipe)) is None:
            await self._look()
            entry = self._known(recipe)
        return entry

    def _known(self, recipe: Recipe) -> Entry | None:
        for key in self._keys(recipe):
            stored = self._ledger.find(key)
            if stored is not None and self._ledger.is_fresh(stored):
                return Entry(key=key, notes=stored.notes, hit=True)
        return None

    async def _made(self, recipe: Recipe, install: Install) -> Entry | None:
        keys = self._keys(recipe)
        # One that expired may still be in use, by a job that began before.
        key = next((key for key in keys if self._ledger.find(key) is None), keys[-1])
        async with install(key) as installed:
            if installed is None:
                return None
            lifetime_s = None if recipe.locked else self._unlocked_s
            stored = await self._put(key, installed, lifetime_s)
        extra = {"event": "dependencies.installed", "key": key, "bytes": stored.bytes}
        _log.info("dependencies are installed, and kept for other jobs", extra=extra)
        return Entry(key=key, notes=installed.notes, hit=False)

    async def _put(self, key: str, installed: Installed, lifetime_s: float | None) -> Stored:
        inventory = await self._shelf.put(
            installed.staging, key, bounds=self._bounds, lifetime_s=lifetime_s, notes=installed.notes
        )
        self._take(inventory)
        if (stored := self._ledger.find(key)) is None:
            raise SandboxUnavailable("dependencies were kept and are gone again; who removes them?")
        return stored

    async def _make_room(self) -> None:
        async with self._making_room:
            spared: frozenset[str] = frozenset()
            try:
                for _ in range(_ROUNDS):
                    if not (surplus := self._ledger.surplus(self._max_bytes, spared)):
                        return
                    self._take(await self._shelf.drop(surplus, self._ledger.used))
                    self._tell_dropped(surplus)
                    # What is still there is used by a box of somebody's.
                    spared |= {key for key in surplus if self._ledger.find(key) is not None}
            except SandboxUnavailable as error:
                # The job has what it needs; whoever installs next tries again.
                _log.warning("no room was made: %s", error, extra={"event": "dependencies.not_dropped"})

    def _tell_dropped(self, surplus: tuple[str, ...]) -> None:
        for key in surplus:
            if self._ledger.find(key) is None:
                _log.info("dependencies are removed", extra={"event": "dependencies.dropped", "key": key})

    async def _look(self) -> None:
        self._take(await self._shelf.look(self._ledger.used))

    def _take(self, inventory: Inventory) -> None:
        self._secret = inventory.secret
        self._ledger.take(inventory)

    def _keys(self, recipe: Recipe) -> list[str]:
        generations = 1 if recipe.locked else _GENERATIONS
        return [self._key(recipe, generation) for generation in range(generations)]

    def _key(self, recipe: Recipe, generation: int = 0) -> str:
        assert self._secret is not None  # noqa: S101  (nothing is done before the first look)
        return key_of(recipe, self._secret, generation)
