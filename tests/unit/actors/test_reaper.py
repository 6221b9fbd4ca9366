"""The reaper looks at every queue at its interval, as often as there is more, and outlives outages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs

from chef_supervisor.actors.reaper import Reaper
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.kernel import Ref
from chef_supervisor.store.answers import Reaped
from tests.kit.fake_store import FakeStore
from tests.kit.recording import alone, until
from tests.kit.virtual_time import run

QUEUES = (QueueName("builds"), QueueName("tests"))


def of(number: int) -> tuple[JobId, ...]:
    return tuple(JobId(f"job-{one}") for one in range(number))


@attrs.define(eq=False)
class Reapable(FakeStore):
    """Answers with what is due, in order; then with nothing. None: Redis is away."""

    due: list[Reaped | None] = attrs.field(factory=list)
    passes: list[tuple[QueueName, float]] = attrs.field(factory=list)

    async def reap(self, queue: QueueName, limit: int = 100) -> Reaped:
        self.passes.append((queue, asyncio.get_running_loop().time()))
        found = self.due.pop(0) if self.due else Reaped()
        if found is None:
            raise StoreUnavailable("made to fail")
        return found


def look(store: Reapable, passes: int) -> Sequence[tuple[QueueName, float]]:
    async def scenario() -> None:
        async with alone(Ref("reaper"), lambda: Reaper(store=store, queues=QUEUES, interval_s=1.0)):
            await until(lambda: len(store.passes) >= passes)

    run(scenario())
    return store.passes[:passes]


def test_every_queue_is_looked_at_once_an_interval() -> None:
    passes = look(Reapable(), 6)

    assert [queue for queue, _ in passes] == [*QUEUES, *QUEUES, *QUEUES]
    assert [round(at_s) for _, at_s in passes] == [0, 0, 1, 1, 2, 2]


def test_a_queue_with_more_than_a_pass_takes_is_looked_at_again_at_once() -> None:
    half = Reaped(requeued=of(60), poisoned=of(40))
    due: list[Reaped | None] = [half, Reaped(promoted=of(100)), Reaped(forgotten=100), Reaped(requeued=of(99))]
    passes = look(Reapable(due=due), 6)

    assert [queue for queue, _ in passes] == [*QUEUES[:1] * 4, QUEUES[1], QUEUES[0]]
    assert [round(at_s) for _, at_s in passes] == [0, 0, 0, 0, 0, 1]


def test_an_outage_is_waited_out() -> None:
    passes = look(Reapable(due=[Reaped(), None, None]), 5)

    assert [(queue, round(at_s)) for queue, at_s in passes] == [
        (QUEUES[0], 0),
        (QUEUES[1], 0),
        (QUEUES[0], 1),
        (QUEUES[0], 2),
        (QUEUES[1], 2),
    ]
