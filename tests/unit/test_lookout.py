"""Who has something due, over all queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from chef_supervisor.domain.delivery import ReceiverName
from chef_supervisor.domain.job import QueueName
from chef_supervisor.lookout import Due, Lookout
from chef_supervisor.store.outbox import MOST_RECEIVERS
from tests.kit.fake_store import FakeStore
from tests.kit.virtual_time import virtual

BUILDS, TESTS = QueueName("builds"), QueueName("tests")
CONVEX, HOOK = ReceiverName("convex"), ReceiverName("hook.ci")


@attrs.define(eq=False)
class Telling(FakeStore):
    """Tells what a test says of each queue."""

    of: Mapping[QueueName, Sequence[tuple[ReceiverName, int]]] = attrs.field(factory=dict)
    failing: set[QueueName] = attrs.field(factory=set)

    async def due_receivers(self, queue: QueueName, offset: int = 0) -> Sequence[tuple[ReceiverName, int]]:
        if queue in self.failing:
            self.away = True
        try:
            await self._enter("due_receivers")
        finally:
            self.away = False
        return self.of.get(queue, ())[offset:][:MOST_RECEIVERS]


def lookout(store: Telling) -> Lookout:
    return Lookout(store, (BUILDS, TESTS), (CONVEX,))


@virtual
async def test_a_receiver_is_due_when_it_is_in_the_first_of_its_queues() -> None:
    found = {BUILDS: [(CONVEX, 2_999), (HOOK, 0)], TESTS: [(CONVEX, 500)]}

    assert await lookout(Telling(of=found)).due() == {CONVEX: Due(0.501), HOOK: Due(0.0, (BUILDS,))}


@virtual
async def test_queues_come_first_in_turn() -> None:
    looking = lookout(Telling(of={BUILDS: [(CONVEX, 0)], TESTS: [(CONVEX, 0)]}))
    orders = [(await looking.due())[CONVEX].queues for _ in range(2)]

    assert sorted(orders) == [(BUILDS, TESTS), (TESTS, BUILDS)]


@virtual
async def test_one_queue_that_redis_does_not_tell_about_hides_no_other() -> None:
    store = Telling(of={BUILDS: [(CONVEX, 0)], TESTS: [(HOOK, 0)]}, failing={BUILDS})

    assert await lookout(store).due() == {HOOK: Due(0.0, (TESTS,))}


@virtual
async def test_behind_a_thousand_hosts_that_are_due_ours_are_looked_at_all_the_same() -> None:
    crowd = [(ReceiverName(f"callback.h{number}.example.com"), 0) for number in range(1_000)]
    due = await lookout(Telling(of={BUILDS: crowd})).due()

    assert due[CONVEX] == Due(0.0, (BUILDS,), sure=False)
    assert CONVEX not in await lookout(Telling(of={BUILDS: crowd[:999]})).due()


@virtual
async def test_all_that_is_due_behind_the_first_thousand_is_looked_at_in_turn() -> None:
    crowd = [(ReceiverName(f"callback.h{number}.example.com"), 0) for number in range(3_500)]
    looking = lookout(Telling(of={BUILDS: crowd}))
    looks = [await looking.due() for _ in range(6)]

    for look, (start, end) in zip(looks, [(1_000, 2_000), (2_000, 3_000), (3_000, 3_500)] * 2, strict=True):
        assert set(look) == {CONVEX} | {name for name, _ in crowd[:1_000] + crowd[start:end]}
    assert {list(look)[1] for look in looks[:2]} == {crowd[0][0], crowd[2_000][0]}


@virtual
async def test_of_what_is_due_later_the_first_thousand_are_enough() -> None:
    crowd = [(ReceiverName(f"callback.h{number}.example.com"), number) for number in range(3_000)]
    store = Telling(of={BUILDS: crowd})

    assert len(await lookout(store).due()) == 1_000
    assert store.calls["due_receivers"] == 2
