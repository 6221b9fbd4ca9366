"""How long a command without a script may take: a large one may take longer than a small one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import attrs
import pytest

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.store.connect import Command, Lines
from chef_supervisor.store.plain import LEAST_BYTES_PER_S, PlainCommands
from tests.kit.virtual_time import virtual

LARGE = b"x" * LEAST_BYTES_PER_S


@attrs.define(eq=False)
class Slow:
    """A way to a server that takes so long to answer."""

    answers_in_s: float

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        await asyncio.sleep(self.answers_in_s)
        return [b"OK" for _ in commands]


async def ask(command: Command, *, answers_in_s: float) -> list[Any]:
    commands = PlainCommands(cast("Lines", Slow(answers_in_s)), timeout_s=0.5)
    try:
        return await commands.run(command)
    finally:
        await commands.batcher.close()


@virtual
async def test_what_is_large_may_take_the_time_of_its_bytes_too() -> None:
    assert await ask(("SET", "key", LARGE), answers_in_s=1.4) == [b"OK"]


@virtual
async def test_what_is_large_may_not_take_for_ever() -> None:
    with pytest.raises(StoreUnavailable):
        await ask(("SET", "key", LARGE), answers_in_s=1.6)


@virtual
async def test_what_is_small_must_be_quick() -> None:
    with pytest.raises(StoreUnavailable):
        await ask(("GET", "key"), answers_in_s=0.6)
