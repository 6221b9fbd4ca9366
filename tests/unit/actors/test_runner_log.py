"""What a box prints is in the job's log, to the last word, and no trouble with the log is trouble of the job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Fence, JobId, JobStatus
from chef_supervisor.domain.job_log import LogPiece
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepOutput, StepStarted, Work
from chef_supervisor.log_writer import PAUSE_S
from tests.kit.fake_sandbox import FakeSandbox, killed
from tests.kit.fake_store import FakeStore
from tests.kit.virtual_time import virtual
from tests.unit.actors.runner_bench import Bench, bench


async def talking(work: Work) -> AsyncIterator[BoxEvent]:
    """The first step prints two lines, and with the second all is over, sooner than a log is written again."""
    yield StepStarted(0)
    yield StepOutput(0, b"hello\n")
    await asyncio.sleep(PAUSE_S / 2)
    yield StepOutput(0, b"the last words\n")
    for index in range(len(work.steps)):
        yield StepEnded(index=index, exit_code=0, ended_by=EndedBy.EXIT, ms=1)
    yield BoxEnded(complete=True, ended_by=EndedBy.EXIT)


def log_of(it: Bench, job_id: JobId) -> list[LogPiece]:
    return it.store.logs.get(job_id, [])


@virtual
async def test_all_that_was_printed_is_in_the_log_when_the_job_is_over() -> None:
    it = bench(talking)
    claim = await it.claimed()

    async with it.running(claim):
        await it.until_over(claim.job_id)
        printed = b"".join(piece.content for piece in log_of(it, claim.job_id))

    assert printed.startswith(b"$ ")
    assert printed.endswith(b"\nhello\nthe last words\n")


@virtual
async def test_the_log_is_that_of_the_newest_run() -> None:
    it = bench(killed, talking)
    first = await it.claimed()
    async with it.running(first):
        await it.until_gone()
    before = {piece.run for piece in log_of(it, first.job_id)}

    again = await it.claim()
    async with it.running(again):
        await it.until_over(again.job_id)

    assert before == {1}
    assert {piece.run for piece in log_of(it, first.job_id)} == {2}


class WithoutLogs(FakeStore):
    """Takes everything but logs."""

    async def append_log(self, job_id: JobId, fence: Fence, pieces: Sequence[LogPiece]) -> bool:
        raise StoreUnavailable("no room for logs")


@virtual
async def test_a_job_whose_log_cannot_be_written_comes_to_its_end() -> None:
    it = Bench(store=WithoutLogs(), sandbox=FakeSandbox(plays=[talking]))
    claim = await it.claimed()

    async with it.running(claim):
        status = await it.until_over(claim.job_id)

    assert status is JobStatus.COMPLETED
