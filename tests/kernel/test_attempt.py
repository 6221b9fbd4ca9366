"""Work that may crash without the actor."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import Crashed, attempt
from tests.kit.virtual_time import virtual


async def fails(error: BaseException) -> int:
    raise error


@virtual
async def test_what_it_returns_is_handed_on() -> None:
    assert await attempt(asyncio.sleep(1.0, 7)) == 7


@virtual
async def test_what_it_raises_is_handed_back_as_a_value() -> None:
    error = ValueError("made to fail")

    assert await attempt(fails(error)) == Crashed(error)


@virtual
async def test_a_cancellation_goes_on() -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(attempt(asyncio.sleep(100.0)))
        await asyncio.sleep(1.0)
        task.cancel()

    assert task.cancelled()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_goes_on(kind: type[BaseException]) -> None:
    with pytest.raises(kind):
        attempt(fails(kind())).send(None)
