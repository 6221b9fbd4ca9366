"""A shelf that does what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import attrs

from chef_supervisor.domain.errors import DependenciesRefused, SandboxUnavailable
from chef_supervisor.domain.shelf import Bounds, Inventory, Stored

CALL_S = 0.5


@attrs.define(eq=False)
class FakeShelf:
    """
    `sizes`: what entries take, by key, else `size`. `in_use`: what boxes of other supervisors use. `told`: the uses that
    were told. `calls`: what was asked, in order. While `away`, nothing can be asked; while `stuck`,
    nothing can be dropped.
    """

    stored: dict[str, Stored] = attrs.field(factory=dict)
    secret: bytes = b"secret of the store"
    size: int = 10
    in_use: set[str] = attrs.field(factory=set)
    told: dict[str, float] = attrs.field(factory=dict)
    calls: list[str] = attrs.field(factory=list)
    away: bool = False
    stuck: bool = False
    refuses: str = ""
    ahead_s: float = 1000.0

    async def identity(self) -> str:
        return "fake"

    async def look(self, used: Mapping[str, float]) -> Inventory:
        await self._called("look")
        self.told.update(used)
        return self._inventory()

    async def put(
        self, staging: object, key: str, *, bounds: Bounds, lifetime_s: float | None, notes: tuple[str, ...]
    ) -> Inventory:
        await self._called("put")
        if self.refuses:
            raise DependenciesRefused(self.refuses)
        expires_s = None if lifetime_s is None else self.now_s + lifetime_s
        stored = Stored(bytes=self.size, made_s=self.now_s, used_s=self.now_s, expires_s=expires_s, notes=notes)
        self.stored.setdefault(key, stored)
        return self._inventory()

    async def drop(self, keys: tuple[str, ...], used: Mapping[str, float]) -> Inventory:
        await self._called("drop")
        if self.stuck:
            raise SandboxUnavailable("nothing can be dropped")
        self.told.update(used)
        for key in set(keys) - self.in_use:
            self.stored.pop(key, None)
        return self._inventory()

    def entry(self, key: str) -> object:
        return key

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead_s

    async def _called(self, what: str) -> None:
        self.calls.append(what)
        await asyncio.sleep(CALL_S)
        if self.away:
            raise SandboxUnavailable("the shelf is away")

    def _inventory(self) -> Inventory:
        return Inventory(secret=self.secret, now_s=self.now_s, stored=dict(self.stored))
