from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import pytest

from chef_supervisor.domain.errors import Bug, ChefError, StoreUnavailable
from chef_supervisor.store.batching import Batcher

pytestmark = pytest.mark.asyncio


@attrs.define(eq=False)
class Server:
    """Answers each number with its double when it is let; `flights` is what was sent."""

    flights: list[list[int]] = attrs.field(factory=list)
    open: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def send(self, items: Sequence[int]) -> Sequence[int | ChefError]:
        self.flights.append(list(items))
        await self.open.wait()
        return [Bug("odd one") if item < 0 else 2 * item for item in items]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def start(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.ensure_future(batcher.call(item)) for item in items]


async def results(tasks: list[asyncio.Task[int]]) -> list[object]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_lone_call_leaves_at_once() -> None:
    server = Server()
    batcher: Batcher[int, int] = Batcher(server.send)

    [task] = start(batcher, 1)
    await settle()
    assert server.flights == [[1]]

    server.open.set()
    assert await task == 2


async def test_callers_of_one_moment_share_a_flight() -> None:
    server = Server()
    server.open.set()
    batcher: Batcher[int, int] = Batcher(server.send)

    assert await results(start(batcher, 1, 2, 3)) == [2, 4, 6]
    assert server.flights == [[1, 2, 3]]


async def test_what_comes_while_two_are_under_way_goes_with_the_next() -> None:
    server = Server()
    batcher: Batcher[int, int] = Batcher(server.send)
    tasks = []
    for item in range(1, 7):
        tasks += start(batcher, item)
        await settle()

    assert server.flights == [[1], [2]]
    server.open.set()
    assert await results(tasks) == [2, 4, 6, 8, 10, 12]
    assert server.flights == [[1], [2], [3, 4, 5, 6]]


async def test_a_flight_has_at_most_so_many_items() -> None:
    server = Server()
    server.open.set()
    batcher: Batcher[int, int] = Batcher(server.send, max_items=3)

    await results(start(batcher, *range(7)))

    assert server.flights == [[0, 1, 2], [3, 4, 5], [6]]


async def test_a_flight_has_at_most_so_many_bytes_and_a_larger_item_flies_alone() -> None:
    server = Server()
    server.open.set()
    batcher: Batcher[int, int] = Batcher(server.send, weigh=lambda item: item, max_bytes=10)

    await results(start(batcher, 4, 6, 1, 50, 5, 5))

    assert server.flights == [[4, 6], [1], [50], [5, 5]]


async def test_a_caller_cancelled_before_departure_is_left_behind() -> None:
    server = Server()
    batcher: Batcher[int, int] = Batcher(server.send, max_flights=1)
    first = start(batcher, 1)
    await settle()
    tasks = start(batcher, 2, 3, 4)
    await settle()

    tasks[1].cancel()
    await settle()
    server.open.set()

    assert await results([*first, tasks[0], tasks[2]]) == [2, 4, 8]
    assert server.flights == [[1], [2, 4]]


async def test_a_caller_cancelled_in_flight_disturbs_nobody_and_its_reply_is_handed_over() -> None:
    server, orphans = Server(), []
    batcher: Batcher[int, int] = Batcher(server.send, orphaned=lambda item, reply: orphans.append((item, reply)))
    tasks = start(batcher, 1, 2, 3)
    await settle()

    tasks[1].cancel()
    await settle()
    server.open.set()

    assert await results([tasks[0], tasks[2]]) == [2, 6]
    assert tasks[1].cancelled()
    assert orphans == [(2, 4)]


async def test_a_caller_cancelled_in_the_moment_of_its_reply_hands_it_over() -> None:
    server, orphans = Server(), []
    batcher: Batcher[int, int] = Batcher(server.send, orphaned=lambda item, reply: orphans.append((item, reply)))
    [task] = start(batcher, 1)
    await settle()
    server.open.set()
    while not any(waiting.done() for waiting in _replies(task)):  # noqa: ASYNC110 # this very moment is meant
        await asyncio.sleep(0)

    task.cancel()
    await results([task])

    assert task.cancelled()
    assert orphans == [(1, 2)]


async def test_an_error_for_one_item_is_its_callers_alone() -> None:
    server = Server()
    server.open.set()
    batcher: Batcher[int, int] = Batcher(server.send)

    ends = await results(start(batcher, 1, -1, 3))

    assert ends[0] == 2
    assert isinstance(ends[1], Bug)
    assert ends[2] == 6


async def test_a_failing_flight_fails_only_its_own_callers() -> None:
    async def send(items: Sequence[int]) -> Sequence[int | ChefError]:
        await asyncio.sleep(0)
        if 1 in items:
            raise StoreUnavailable("down")
        return items

    batcher: Batcher[int, int] = Batcher(send, max_items=2)

    ends = await results(start(batcher, 1, 2, 3, 4))

    assert [isinstance(end, StoreUnavailable) for end in ends] == [True, True, False, False]
    assert ends[2:] == [3, 4]


async def test_a_failure_that_no_caller_waits_for_makes_no_noise() -> None:
    async def send(items: Sequence[int]) -> Sequence[int | ChefError]:
        raise StoreUnavailable("down")

    batcher: Batcher[int, int] = Batcher(send)
    batcher.post(1)

    await batcher.close()  # an exception never retrieved would be a warning, and that an error


async def test_closing_waits_for_all_that_was_asked() -> None:
    server = Server()
    batcher: Batcher[int, int] = Batcher(server.send, max_flights=1, max_items=1)
    tasks = start(batcher, 1, 2)
    await settle()
    closing = asyncio.ensure_future(batcher.close())
    await settle()
    assert not closing.done()

    server.open.set()
    await closing

    assert await results(tasks) == [2, 4]


async def test_aborting_ends_all_callers_with_an_error() -> None:
    server = Server()
    batcher: Batcher[int, int] = Batcher(server.send, max_flights=1)
    tasks = start(batcher, 1)
    await settle()
    tasks += start(batcher, 2)
    await settle()

    batcher.abort()

    ends = await results(tasks)
    assert all(isinstance(end, StoreUnavailable) for end in ends)
    await batcher.close()


def _replies(task: asyncio.Task[int]) -> list[asyncio.Future[object]]:
    waiting = getattr(task, "_fut_waiter", None)
    return [] if waiting is None else [waiting]
