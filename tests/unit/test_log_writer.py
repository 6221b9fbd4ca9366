"""The log of a run: written a few times a second, bounded, and never in the way of the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from chef_supervisor.domain.errors import Bug, CorruptState, StoreUnavailable
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.job_log import LogPiece
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.work import Step, StepOutput, StepStarted, Work
from chef_supervisor.log_writer import PAUSE_S, LogWriter, Pending
from tests.kit.fake_store import FakeStore
from tests.kit.virtual_time import now_s, settle, virtual

TESTS = QueueName("tests")
WORK = Work(files={}, steps=(Step(name="test", argv=("run",), timeout_s=1),), timeout_s=1)
PASSED = Outcome(status=JobStatus.COMPLETED, result=Result(verdict=Verdict.PASSED))


async def claimed(store: FakeStore) -> Claim:
    job_id = new_job_id(TESTS, bytes(16))
    await store.submit(NewJob(job_id=job_id, type=JobType.TEST, tenant=Tenant("a"), priority=5, payload=b"{}"))
    [claim] = await store.claim(TESTS, 1)
    return claim


@asynccontextmanager
async def writing(store: FakeStore, room_bytes: int = 10_000) -> AsyncIterator[LogWriter]:
    """Yields: a writer at work, whose step has started and has been told of."""
    writer = LogWriter(await claimed(store), store, room_bytes)
    task = asyncio.create_task(writer.run())
    writer.hear(WORK, StepStarted(0))
    await settle()
    yield writer
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def written(store: FakeStore) -> bytes:
    return b"".join(piece.content for pieces in store.logs.values() for piece in pieces)


@virtual
async def test_what_is_printed_is_written_at_once_and_then_a_few_times_a_second() -> None:
    store = FakeStore()
    async with writing(store) as writer:
        assert written(store) == b"$ run\n"

        for n in range(1000):
            writer.hear(WORK, StepOutput(0, b"%03d\n" % n))
            await asyncio.sleep(0.01)

        assert store.calls["append_log"] <= 10 * 5
        assert len(written(store)) > len(b"$ run\n") + 950 * 4
        await writer.close()

    assert written(store) == b"$ run\n" + b"".join(b"%03d\n" % n for n in range(1000))


@virtual
async def test_small_prints_become_one_piece() -> None:
    store = FakeStore()
    async with writing(store) as writer:
        for _ in range(100):
            writer.hear(WORK, StepOutput(0, b"x"))
        await asyncio.sleep(PAUSE_S)

    assert [len(pieces) for pieces in store.log_writes] == [1, 1]


@virtual
async def test_nothing_is_written_while_nothing_is_printed() -> None:
    store = FakeStore()
    async with writing(store):
        await asyncio.sleep(3600)

    assert store.calls["append_log"] == 1


@virtual
async def test_while_the_store_is_away_the_newest_wait_and_the_rest_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FakeStore()
    async with writing(store, room_bytes=500_000) as writer:
        store.away = True
        for n in range(100):
            writer.hear(WORK, StepOutput(0, b"%020000d" % n))
            await asyncio.sleep(0.1)
        store.away = False
        await asyncio.sleep(3)
        await writer.close()

    [[_, *kept]] = store.logs.values()
    assert kept[-1].content.endswith(b"99")
    assert kept[-1].end == len(b"$ run\n") + 2_000_000
    assert kept[-1].end - kept[0].start == sum(len(piece.content) for piece in kept)
    assert 400_000 < sum(len(piece.content) for piece in kept) <= 500_000
    [told] = [record for record in caplog.records if record.__dict__.get("event") == "log.left_out"]
    assert told.__dict__["bytes"] == 2_000_000 - len(written(store)) + len(b"$ run\n")


@virtual
async def test_a_store_that_is_away_is_not_asked_all_the_time() -> None:
    store = FakeStore()
    async with writing(store) as writer:
        store.away = True
        for _ in range(100):
            writer.hear(WORK, StepOutput(0, b"x"))
            await asyncio.sleep(0.1)

    assert store.calls["append_log"] <= 8


@virtual
async def test_a_store_that_hangs_keeps_the_end_waiting_for_a_second_at_most() -> None:
    store = FakeStore()
    async with writing(store) as writer:
        store.hangs = True
        writer.hear(WORK, StepOutput(0, b"x"))
        await asyncio.sleep(1)
        began = now_s()

        await writer.close()

        assert now_s() - began <= 1.0


@virtual
async def test_who_has_lost_the_job_writes_nothing_any_more() -> None:
    store = FakeStore()
    async with writing(store) as writer:
        await store.finish(writer.claim.job_id, writer.claim.fence, PASSED)
        for _ in range(5):
            writer.hear(WORK, StepOutput(0, b"x"))
            await asyncio.sleep(1)
        await writer.close()

    assert store.calls["append_log"] == 2
    assert written(store) == b"$ run\n"


class BrokenLogs(FakeStore):
    async def append_log(self, job_id: JobId, fence: Fence, pieces: Sequence[LogPiece]) -> bool:
        await self._enter("append_log")
        raise CorruptState(job_id, "no stream")


@virtual
async def test_a_log_that_is_broken_does_not_break_the_run() -> None:
    store = BrokenLogs()
    async with writing(store) as writer:
        writer.hear(WORK, StepOutput(0, b"x"))
        await asyncio.sleep(10)
        await writer.close()

    assert issubclass(CorruptState, Bug)
    assert store.calls["append_log"] == 1


class LostReplies(FakeStore):
    """Takes the first write and does not say so."""

    async def append_log(self, job_id: JobId, fence: Fence, pieces: Sequence[LogPiece]) -> bool:
        done = await super().append_log(job_id, fence, pieces)
        if self.calls["append_log"] == 1:
            raise StoreUnavailable("the reply was lost")
        return done


@virtual
async def test_a_write_whose_reply_was_lost_is_not_there_twice() -> None:
    store = LostReplies()
    async with writing(store) as writer:
        writer.hear(WORK, StepOutput(0, b"more\n"))
        await asyncio.sleep(10)
        await writer.close()

    assert written(store) == b"$ run\nmore\n"


def piece(end: int, content: bytes, step: str = "test") -> LogPiece:
    return LogPiece(run=1, step=step, end=end, content=content)


def test_pieces_of_other_steps_and_after_a_gap_stay_apart() -> None:
    pending = Pending(10_000)
    told = [piece(1, b"a"), piece(2, b"b"), piece(9, b"c"), piece(10, b"d", "lint")]

    for one in told:
        pending.add(one)

    assert pending.take() == (piece(2, b"ab"), piece(9, b"c"), piece(10, b"d", "lint"))
    assert pending.take() == ()


def test_pieces_do_not_grow_without_end() -> None:
    pending = Pending(1 << 20)

    for n in range(100):
        pending.add(piece((n + 1) * 1000, bytes(1000)))

    assert [len(one.content) for one in pending.take()] == [65_000, 35_000]
