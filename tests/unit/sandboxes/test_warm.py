"""Boxes that wait to be used: how many, of which kind, for how long, and when the next is started."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import attrs
import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.docker.warm import WarmBoxes
from chef_supervisor.sandboxes.leaving import finish
from tests.kit.recording import until
from tests.kit.virtual_time import virtual

START_S = 0.2
HURRY_S = 2.5
LONG_S = 700.0


@attrs.define(eq=False)
class Box:
    alive: bool = True
    removed: bool = False


@attrs.define(eq=False)
class House:
    """Starts boxes of the kind that is in fashion."""

    fashion: str = "new"
    away: bool = False
    removal_s: float = 1.0
    boxes: list[Box] = attrs.field(factory=list)
    warm: WarmBoxes[Box, str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.warm = WarmBoxes(lambda: self.fashion, self.start)

    async def start(self, _kind: str, removal: AsyncExitStack) -> Box:
        if self.away:
            raise SandboxUnavailable("away")
        await asyncio.sleep(START_S)
        box = Box()
        self.boxes.append(box)
        removal.push_async_callback(self.remove, box)
        return box

    async def remove(self, box: Box) -> None:
        try:
            await finish(lambda: asyncio.sleep(self.removal_s), timeout_s=20.0, hurry_s=HURRY_S)
        finally:
            box.removed = True

    @property
    def there(self) -> list[Box]:
        return [box for box in self.boxes if not box.removed]

    @asynccontextmanager
    async def keeping(self, count: int) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.warm.keep(count))
            try:
                await until(lambda: len(self.boxes) >= count)
                yield
            finally:
                task.cancel()


@virtual
async def test_as_many_wait_as_were_asked_for_and_none_when_it_ends() -> None:
    house = House()

    async with house.keeping(3):
        await asyncio.sleep(60)
        waited = len(house.there)

    assert (waited, len(house.boxes), house.there) == (3, 3, [])


@virtual
async def test_in_the_end_they_are_removed_together() -> None:
    house = House()

    async with house.keeping(3):
        began_s = asyncio.get_running_loop().time()

    assert house.there == []
    assert asyncio.get_running_loop().time() - began_s < HURRY_S


@virtual
async def test_where_they_cannot_be_removed_the_end_is_not_held_up() -> None:
    house = House(removal_s=3600.0)

    async with house.keeping(3):
        began_s = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began_s < 2 * HURRY_S


@virtual
async def test_what_is_taken_is_the_takers_and_another_takes_its_place() -> None:
    house = House()

    async with house.keeping(2):
        taken = house.warm.take("new")
        assert taken is not None
        await until(lambda: len(house.boxes) == 3)

    assert house.there == [taken.box] == house.boxes[:1]


@virtual
async def test_each_is_given_once() -> None:
    house = House()

    async with house.keeping(1):
        taken = [house.warm.take("new"), house.warm.take("new")]

    assert taken[0] is not None
    assert taken[1] is None


@virtual
async def test_the_next_is_started_when_no_box_is_at_work() -> None:
    house = House()

    async with house.keeping(1):
        with house.warm.at_work():
            house.warm.take("new")
            await asyncio.sleep(2.0)
            while_at_work = len(house.boxes)
        await asyncio.sleep(START_S * 1.5)

    assert (while_at_work, len(house.boxes)) == (1, 2)


@virtual
async def test_where_some_box_is_always_at_work_it_is_started_all_the_same() -> None:
    house = House()

    async with house.keeping(1):
        with house.warm.at_work():
            house.warm.take("new")
            await until(lambda: len(house.boxes) == 2)


@virtual
async def test_one_that_died_is_not_given_and_is_removed() -> None:
    house = House()

    async with house.keeping(1):
        house.boxes[0].alive = False
        taken = house.warm.take("new")
        await until(lambda: house.boxes[0].removed)
        await until(lambda: len(house.there) == 1)

    assert taken is None


@virtual
async def test_a_kind_out_of_fashion_is_not_given_and_is_replaced() -> None:
    house = House()

    async with house.keeping(1):
        house.fashion = "newer"
        taken = house.warm.take("newer")
        await until(lambda: house.boxes[0].removed and len(house.there) == 1)
        later = house.warm.take("newer")

    assert taken is None
    assert later is not None


@virtual
async def test_none_waits_for_ever() -> None:
    house = House()

    async with house.keeping(1):
        await asyncio.sleep(LONG_S)
        assert house.boxes[0].removed
        assert len(house.there) == 1


@virtual
async def test_where_none_can_be_started_the_others_are_removed_and_that_is_told() -> None:
    house = House()

    with pytest.RaisesGroup(SandboxUnavailable):
        async with house.keeping(2):
            house.away = True
            house.warm.take("new")
            await asyncio.sleep(60)

    assert len(house.there) == 1
