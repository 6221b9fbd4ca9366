"""The notifier on a real Redis, with endpoints on real sockets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack

import orjson
import pytest

from chef_supervisor.domain.delivery import DeliveryStatus, ReceiverName
from tests.integration.notifier_scene import BUILDS, LINT, scene, until
from tests.kit.raw_web import Received, nonsense, raw_web, reset, says, silence
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process

pytestmark = pytest.mark.asyncio
CI, OPS = "ci", "ops"


@pytest.fixture(scope="module", name="server")
def server_fixture() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


def kinds(requests: list[Received]) -> list[str]:
    return [orjson.loads(request.body)["type"] for request in requests]


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(record, "event", "") for record in caplog.records]


def ids(requests: list[Received]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


async def test_a_job_is_told_to_all_its_endpoints_from_its_start_to_its_end(server: RedisProcess) -> None:
    async with scene(server) as here, raw_web(says(204)) as ci, raw_web(says(200)) as ops:
        async with here.notifier(ci=ci.port, ops=ops.port):
            claim = await here.start(CI, OPS)
            await until(lambda: ci.received and ops.received)
            job_id = await here.finish(claim)
            await here.settled(job_id)

        for web in (ci, ops):
            assert kinds(web.received) == ["job.started", "job.completed"]
            assert [request.rpartition("_")[2] for request in ids(web.received)] == ["1", "1001"]


async def test_an_endpoint_that_is_silent_delays_nobody_else(server: RedisProcess) -> None:
    async with scene(server) as here, raw_web(silence) as ci, raw_web(says(204)) as ops:
        async with here.notifier(ci=ci.port, ops=ops.port):
            jobs = [await here.finish(await here.start(CI, OPS)) for _ in range(20)]
            await until(lambda: kinds(ops.received).count("job.completed") == len(jobs))

            assert len(ci.received) <= 4
        # The stop gave back what the silent one had.
        tries = [state.tries for job_id in jobs for state in await here.store.deliveries(job_id)]
        assert sum(tries) == len(jobs)


async def test_what_was_taken_by_a_process_that_died_is_told_under_the_same_id(server: RedisProcess) -> None:
    async with scene(server) as here, raw_web(says(204)) as ci:
        job_id = await here.finish(await here.start(CI))
        dead = here.another_store(delivery_lease_s=1.0)
        [lost] = await dead.take_deliveries(BUILDS, ReceiverName("hook.ci"), 1)
        async with here.notifier(ci=ci.port):
            [state] = await here.settled(job_id)

        assert ids(ci.received) == [lost.event_id]
        assert state.tries == 2


async def test_an_endpoint_that_is_gone_is_told_nothing_more_until_it_takes_what_is_sent_by_hand(
    server: RedisProcess,
) -> None:
    async with scene(server) as here, raw_web(says(410)) as ci, here.notifier(ci=ci.port):
        first = await here.finish(await here.start(CI))
        await here.settled(first, DeliveryStatus.UNDELIVERABLE)
        told = len(ci.received)
        second = await here.finish(await here.start(CI))
        [state] = await here.settled(second, DeliveryStatus.UNDELIVERABLE)
        assert (state.reason, len(ci.received)) == ("gone", told)

        ci.answering = says(204)
        await here.store.redeliver(second, None)
        await here.settled(second)
        await here.settled(await here.finish(await here.start(CI)))


async def test_two_notifiers_tell_each_event_once_and_in_order(server: RedisProcess) -> None:
    async with scene(server) as here, raw_web(says(204)) as ci:
        async with here.notifier(ci=ci.port), here.notifier(ci=ci.port):
            queues = [BUILDS, LINT] * 15
            jobs = [await here.finish(await here.start(CI, queue=queue)) for queue in queues]
            for job_id in jobs:
                await here.settled(job_id)

        seqs: defaultdict[str, list[int]] = defaultdict(list)
        for request in ci.received:
            data = orjson.loads(request.body)["data"]
            seqs[data["jobId"]].append(data["seq"])
        assert set(seqs) == set(jobs)
        assert all(of_job in ([1_001], [1, 1_001]) for of_job in seqs.values())


async def test_redis_may_be_away_and_all_is_told_when_it_is_back(
    server: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(server) as here, raw_web(says(204)) as ci, here.notifier(ci=ci.port):
        jobs = [await here.finish(await here.start(CI)) for _ in range(5)]
        server.pause()
        try:
            await until(lambda: "store.unavailable" in events(caplog))
        finally:
            server.resume()
        jobs += [await here.finish(await here.start(CI)) for _ in range(5)]
        for job_id in jobs:
            await here.settled(job_id)


async def test_endpoints_that_are_sick_in_all_ways_are_left_alone_and_delay_no_healthy_one(
    server: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    sick = {
        "broken": (says(500), "http_500"),
        "moved": (says(301, {"location": "http://169.254.169.254/"}), "redirect"),
        "cutting": (reset, "connection_lost"),
        "babbling": (nonsense, "connection_lost"),
        "busy": (says(429, {"retry-after": "600"}), "http_429"),
    }
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(scene(server))
        webs = {name: await stack.enter_async_context(raw_web(answer)) for name, (answer, _) in sick.items()}
        webs["well"] = await stack.enter_async_context(raw_web(says(204)))
        async with here.notifier(**{name: web.port for name, web in webs.items()}):
            claims = [await here.start(*webs) for _ in range(10)]
            jobs = [await here.finish(claim) for claim in claims]
            await until(lambda: kinds(webs["well"].received).count("job.completed") == len(jobs))
            await until(lambda: events(caplog).count("receiver.paused") >= len(sick))

        paused = {vars(one)["receiver"]: vars(one)["reason"] for one in caplog.records if "pause_s" in vars(one)}
        assert paused == {f"hook.{name}": reason for name, (_, reason) in sick.items()}
        # Four at once, and none after it said for how long it is busy.
        assert len(webs["busy"].received) <= 4
