"""The notifier on a real Redis with more receivers than one answer tells of, and with receivers that crash."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import attrs
import pytest

from chef_supervisor.domain.delivery import Answer, DeliveryStatus, Message, ReceiverName
from chef_supervisor.domain.job import JobId, JobType, NewJob, Tenant, new_job_id
from chef_supervisor.domain.subscriber import MAX_SUBSCRIBERS, Subscriber
from chef_supervisor.store.outbox import MOST_RECEIVERS
from chef_supervisor.webhooks.policy import callback_name
from chef_supervisor.webhooks.receivers import Receivers
from tests.integration.notifier_scene import BUILDS, Scene, scene, until
from tests.kit.fake_receiver import FakeReceiver
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process

pytestmark = pytest.mark.asyncio
HOOK = ReceiverName("hook.ci")
WELL = callback_name("well.example.com")


@pytest.fixture(scope="module", name="server")
def server_fixture() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


@attrs.define(eq=False)
class Crashing(FakeReceiver):
    """Crashes at every try."""

    async def deliver(self, message: Message) -> Answer:
        raise RuntimeError(f"made to fail at {message.seq}")


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "event", "") for record in caplog.records]


async def ended(here: Scene, *receivers: ReceiverName) -> JobId:
    """Returns: a job whose end those are to be told."""
    job = NewJob(
        job_id=new_job_id(BUILDS, secrets.token_bytes(16)),
        type=JobType.BUILD,
        tenant=Tenant("a"),
        payload=b"{}",
        subscribers=tuple(Subscriber(receiver=name, progress=False) for name in receivers),
    )
    await here.store.submit(job)
    [claim] = await here.store.claim(BUILDS, 1)
    return await here.finish(claim)


async def crowded(here: Scene, count: int) -> set[ReceiverName]:
    """Returns: so many receivers, to each of which something is due."""
    names = [ReceiverName(f"hook.old{number}") for number in range(count)]
    for some in (names[at : at + MAX_SUBSCRIBERS] for at in range(0, count, MAX_SUBSCRIBERS)):
        await ended(here, *some)
    return set(names)


async def test_behind_more_receivers_than_one_answer_tells_of_another_is_told(server: RedisProcess) -> None:
    well = FakeReceiver(WELL)
    async with scene(server) as here:
        names = await crowded(here, MOST_RECEIVERS)
        await ended(here, WELL)
        assert set(dict(await here.store.due_receivers(BUILDS))) == names
        assert set(dict(await here.store.due_receivers(BUILDS, MOST_RECEIVERS))) == {WELL}
        assert await here.store.due_receivers(BUILDS, MOST_RECEIVERS + 1) == []

        async with here.telling(Receivers(configured=[], callback=lambda _: well)):
            await until(lambda: well.told)


async def test_many_events_that_crash_cost_no_other_receiver_and_not_the_service(
    server: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sick, well = Crashing(HOOK), FakeReceiver(WELL)
    async with scene(server) as here:
        poison = [await ended(here, HOOK) for _ in range(8)]
        async with here.telling(Receivers(configured=[sick, well])):
            last = await ended(here, WELL)
            await here.settled(last)
            await until(lambda: events(caplog).count("delivery.crashed") >= 8)

        states = [state for job_id in poison for state in await here.store.deliveries(job_id)]
        assert {(state.status, state.reason) for state in states} == {(DeliveryStatus.WAITING, "internal_error")}
        assert "actor.crashed" not in events(caplog)
