from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.api import feed
from chef_supervisor.api.event_reader import EventReader
from chef_supervisor.api.subscription import Entry, Subscription
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.store.answers import Gap, JobEvent
from tests.unit.api.api_kit import BUILDS, Api, following

START = {BUILDS: "0-0"}


async def _take(subscription: Subscription, count: int) -> list[Entry]:
    """Returns: that many entries, or more."""
    entries: list[Entry] = []
    async with asyncio.timeout(5.0):
        while len(entries) < count:
            entries += await subscription.take()
    return entries


def _kinds(entries: list[Entry]) -> list[str]:
    return [entry.kind if isinstance(entry, JobEvent) else "gap" for entry in entries]


@pytest.mark.asyncio
async def test_reader_gets_every_change_of_every_queue(api: Api) -> None:
    async with following(api.feed):
        with api.feed.subscribe() as subscription:
            await api.posted(type="lint")
            await api.posted()
            await api.finish(await api.claim())

            entries = await _take(subscription, 4)

    assert sorted(_kinds(entries)) == ["job.completed", "job.pending", "job.pending", "job.processing"]


@pytest.mark.asyncio
async def test_reader_of_one_job_gets_nothing_of_others(api: Api) -> None:
    async with following(api.feed):
        await api.posted()
        job_id = await api.posted()
        with api.feed.subscribe(job_id) as mine, api.feed.subscribe() as every:
            await api.finish(await api.claim())
            await api.finish(await api.claim())

            await _take(every, 4)
            entries = await _take(mine, 2)

    assert {entry.job_id for entry in entries if isinstance(entry, JobEvent)} == {job_id}


@pytest.mark.asyncio
async def test_slow_reader_gets_a_gap_and_goes_on(api: Api) -> None:
    async with following(api.feed):
        with api.feed.subscribe() as slow, api.feed.subscribe() as quick:
            for _ in range(9):
                await api.posted()
                await _take(quick, 1)

            entries = await _take(slow, 1)
            await api.posted()
            later = await _take(slow, 1)

    assert entries[0] == Gap(BUILDS, "8-0")
    assert _kinds(entries + later) == ["gap", "job.pending", "job.pending"]


@pytest.mark.asyncio
async def test_feed_outlives_an_absence_of_the_store_and_misses_nothing(api: Api) -> None:
    async with following(api.feed):
        with api.feed.subscribe() as subscription:
            await api.posted()
            await _take(subscription, 1)
            await api.store.go_away()
            await _next_call(api, "events")
            api.store.away = False
            await api.posted()

            entries = await _take(subscription, 1)

    assert _kinds(entries) == ["job.pending"]


async def _next_call(api: Api, name: str) -> None:
    api.store.forget_calls()
    await api.store.called(name)


@pytest.mark.asyncio
async def test_feed_that_cannot_be_placed_says_so(api: Api) -> None:
    api.store.away = True
    async with asyncio.TaskGroup() as group:
        running = group.create_task(api.feed.run())

        with pytest.raises(StoreUnavailable):
            await api.feed.placed(0.01)

        api.store.away = False
        await api.feed.placed(5.0)
        running.cancel()


@pytest.mark.asyncio
async def test_feed_that_runs_again_goes_on_where_it_was(api: Api) -> None:
    async with following(api.feed):
        await api.posted()
    await api.posted()

    with api.feed.subscribe() as subscription:
        async with following(api.feed):
            entries = await _take(subscription, 1)

    assert entries[-1].position == "2-0"


@pytest.mark.asyncio
async def test_end_of_the_feed_is_the_end_of_its_subscriptions(api: Api) -> None:
    async with following(api.feed):
        with api.feed.subscribe() as subscription:
            api.feed.end_all()

            assert await subscription.take() == []


async def _read(reader: EventReader, count: int) -> list[Entry]:
    entries = [entry async for entry in reader.replay()]
    async with asyncio.timeout(5.0):
        while len(entries) < count:
            entries += await reader.live(5.0) or []
    return entries


async def _next_live(reader: EventReader) -> list[Entry]:
    """What the feed handed out late and was replayed already comes as nothing."""
    async with asyncio.timeout(5.0):
        while True:
            if entries := await reader.live(5.0):
                return entries


@pytest.mark.parametrize("before_subscribing", range(5))
@pytest.mark.asyncio
async def test_replay_joins_the_live_events_without_gap_or_doublet(api: Api, before_subscribing: int) -> None:
    """The feed is held back, so that what is replayed is live too, and the other way round."""
    async with following(api.feed):
        for _ in range(before_subscribing):
            await api.posted()
        with api.feed.subscribe() as subscription:
            reader = EventReader(api.store, api.feed, subscription, START)
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(_read(reader, 5))
                for _ in range(5 - before_subscribing):
                    await api.posted()
            entries = reading.result()

    assert [entry.position for entry in entries] == [f"{number}-0" for number in range(1, 6)]
    assert reader.cursor().startswith("builds:5-0,")


@pytest.mark.asyncio
async def test_replay_of_one_job_leaves_the_others_out(api: Api) -> None:
    async with following(api.feed):
        await api.posted()
        job_id = await api.posted()
        with api.feed.subscribe(job_id) as subscription:
            reader = EventReader(api.store, api.feed, subscription, START)

            entries = [entry async for entry in reader.replay()]

    assert [entry.position for entry in entries] == ["2-0"]
    assert reader.cursor() == "builds:2-0"


@pytest.mark.asyncio
async def test_trimmed_position_is_a_gap(api: Api) -> None:
    async with following(api.feed):
        for _ in range(5):
            await api.posted()
        api.store.trim(BUILDS, keep=2)
        with api.feed.subscribe() as subscription:
            reader = EventReader(api.store, api.feed, subscription, {BUILDS: "1-0"})

            entries = [entry async for entry in reader.replay()]

    assert _kinds(entries) == ["gap", "job.pending", "job.pending"]


@pytest.mark.parametrize("position", ["99-0", "18446744073709551615-0"])
@pytest.mark.asyncio
async def test_position_of_another_stream_is_a_gap_and_following_goes_on(api: Api, position: str) -> None:
    async with following(api.feed):
        await api.posted()
        with api.feed.subscribe() as subscription:
            reader = EventReader(api.store, api.feed, subscription, {BUILDS: position})
            replayed = [entry async for entry in reader.replay()]
            await api.posted()
            live = await _next_live(reader)

    assert replayed == [Gap(BUILDS, "1-0")]
    assert [entry.position for entry in live] == ["2-0"]


@pytest.mark.asyncio
async def test_silence_moves_the_cursor_past_events_of_other_jobs(api: Api) -> None:
    async with following(api.feed):
        with api.feed.subscribe() as every:
            job_id = await api.posted()
            await _take(every, 1)
            with api.feed.subscribe(job_id) as mine:
                reader = EventReader(api.store, api.feed, mine, {})
                await api.posted()
                await _take(every, 1)

                silence = await reader.live(0.001)

    assert silence == []
    assert reader.cursor() == "builds:2-0"


@pytest.mark.asyncio
async def test_feed_without_readers_reads_nothing_and_tells_the_first_one_of_a_gap(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LINGER_S", 0.0)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(api.feed.run())
        job_id = await api.posted()
        await asyncio.sleep(0)
        assert not api.feed.positions

        with api.feed.subscribe(job_id) as subscription:
            assert _kinds(await _take(subscription, 1)) == ["gap"]
            await api.claim()
            assert _kinds(await _take(subscription, 1)) == ["job.processing"]
        running.cancel()
