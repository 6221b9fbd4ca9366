"""The notifier tells each receiver of each job in order, one event at a time, as soon as there is something to tell."""

from __future__ import annotations

import asyncio

from chef_supervisor.domain.delivery import DeliveryStatus, EventKind
from tests.kit.fake_receiver import REFUSED, FakeReceiver, failed
from tests.kit.recording import until
from tests.kit.virtual_time import now_s, settle, virtual
from tests.unit.actors.notifier_bench import BUILDS, CONVEX, HOOK, TESTS, Bench


@virtual
async def test_an_end_is_told_at_once_with_the_result_and_settled() -> None:
    convex = FakeReceiver(CONVEX)
    bench = Bench.of(convex)
    async with bench.notifier():
        await asyncio.sleep(0.5)
        job_id = await bench.ended(CONVEX)
        await bench.until_settled()

        assert convex.times_s == [0.5]
        [(_, message)] = convex.told
        assert (message.kind, message.job_id) == (EventKind.COMPLETED, job_id)
        assert message.result is not None
        assert (await bench.state(job_id)).status is DeliveryStatus.DELIVERED


@virtual
async def test_what_another_process_put_into_the_outbox_is_found_within_a_second() -> None:
    convex = FakeReceiver(CONVEX)
    bench = Bench.of(convex, hints=False)
    async with bench.notifier():
        await asyncio.sleep(0.5)
        await bench.ended(CONVEX)
        await bench.until_settled()

        assert now_s() <= 1.1


@virtual
async def test_the_events_of_a_job_are_told_in_order_and_nothing_after_the_end() -> None:
    convex, hook = FakeReceiver(CONVEX, takes_s=0.7), FakeReceiver(HOOK, takes_s=2.5)
    bench = Bench.of(convex, hook)
    async with bench.notifier():
        claim = await bench.start(CONVEX, HOOK)
        for percent in range(5, 100, 5):
            await asyncio.sleep(0.3)
            await bench.store.progress(claim.job_id, claim.fence, percent)
        job_id = await bench.finish(claim)
        await until(lambda: all(one.told and one.told[-1][1].kind.terminal for one in (convex, hook)))
        await asyncio.sleep(100)

        for receiver in (convex, hook):
            assert receiver.seqs == sorted(set(receiver.seqs))
            assert receiver.told[-1][1].kind is EventKind.COMPLETED
            assert [message.kind for _, message in receiver.told[:2]] == [EventKind.STARTED, EventKind.PROGRESS]
        assert {one.status for one in await bench.store.deliveries(job_id)} == {DeliveryStatus.DELIVERED}


@virtual
async def test_progress_is_told_once_a_second_at_most_and_the_latest_of_it() -> None:
    convex = FakeReceiver(CONVEX)
    bench = Bench.of(convex)
    async with bench.notifier():
        claim = await bench.start(CONVEX)
        for percent in range(1, 41):
            await asyncio.sleep(0.1)
            await bench.store.progress(claim.job_id, claim.fence, percent)
        await asyncio.sleep(2)

        gaps_s = [b - a for a, b in zip(convex.times_s, convex.times_s[1:], strict=False)]
        assert min(gaps_s) >= 0.99
        assert convex.told[-1][1].progress == 40
        assert len(convex.told) in {5, 6}


@virtual
async def test_a_start_that_was_not_taken_gives_way_to_the_end() -> None:
    convex = FakeReceiver(CONVEX, answers=[failed()])
    bench = Bench.of(convex)
    async with bench.notifier():
        claim = await bench.start(CONVEX)
        await bench.until_settled()
        await bench.finish(claim)
        await bench.until_settled(2)
        await asyncio.sleep(100)

        assert [message.kind for _, message in convex.told] == [EventKind.STARTED, EventKind.COMPLETED]
        assert convex.times_s[1] < 0.1


@virtual
async def test_a_start_is_tried_twice_within_ten_seconds_and_then_given_up() -> None:
    convex = FakeReceiver(CONVEX, rest=failed(), takes_s=5.0)
    bench = Bench.of(convex)
    async with bench.notifier():
        claim = await bench.start(CONVEX)
        await asyncio.sleep(100)

        assert convex.times_s == [0.0, 7.0]
        assert (await bench.state(claim.job_id)).status is DeliveryStatus.GIVEN_UP


@virtual
async def test_an_end_is_tried_by_the_schedule_under_one_id_and_then_undeliverable() -> None:
    convex = FakeReceiver(CONVEX, rest=failed())
    bench = Bench.of(convex)
    waits_s: list[int] = []
    async with bench.notifier():
        job_id = await bench.ended(CONVEX)
        await bench.until_settled()
        while (due_ms := (await bench.state(job_id)).next_try_at_ms) is not None:
            waits_s.append(round((due_ms - bench.clock_ms()) / 1000))
            tries = len(convex.told)
            bench.skip_s(waits_s[-1] - 7)
            await asyncio.sleep(5)
            assert len(convex.told) == tries or waits_s == [5]
            await bench.until_settled(tries + 1)

        assert waits_s == [5, 300, 1_800, 7_200, 18_000, 36_000]
        assert len({message.event_id for _, message in convex.told}) == 1
        state = await bench.state(job_id)
        assert (state.status, state.tries, state.reason) == (DeliveryStatus.UNDELIVERABLE, 7, "http_500")


@virtual
async def test_what_a_receiver_refuses_is_not_tried_again() -> None:
    convex = FakeReceiver(CONVEX, rest=REFUSED)
    bench = Bench.of(convex)
    async with bench.notifier():
        jobs = [await bench.ended(CONVEX) for _ in range(9)]
        await asyncio.sleep(100)

        assert len(convex.told) == 9
        states = [await bench.state(job_id) for job_id in jobs]
        assert {(state.status, state.reason) for state in states} == {(DeliveryStatus.UNDELIVERABLE, "function_failed")}


@virtual
async def test_all_queues_are_told_of_in_turn_within_what_a_receiver_may_be_asked() -> None:
    convex = FakeReceiver(CONVEX, concurrency=2, takes_s=1.0)
    bench = Bench.of(convex)
    async with bench.notifier():
        for _ in range(20):
            await bench.ended(CONVEX)
        await bench.ended(CONVEX, queue=TESTS)
        await bench.until_settled(21)

        assert convex.most_under_way == 2
        queues = [message.job_id.partition(".")[0] for _, message in convex.told]
        assert queues.index(TESTS) < 6
        assert queues.count(BUILDS) == 20


@virtual
async def test_where_nobody_can_be_told_no_change_makes_it_look_and_it_still_looks_now_and_then() -> None:
    bench = Bench.of()
    async with bench.notifier():
        await settle()
        looked = bench.store.calls["due_receivers"]
        await bench.start()
        await asyncio.sleep(5)
        assert bench.store.calls["due_receivers"] == looked

        await asyncio.sleep(10)
        assert bench.store.calls["due_receivers"] > looked
