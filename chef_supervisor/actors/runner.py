"""Runs one job from claim to outcome, and records the outcome itself, so that no result depends on anybody else."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from collections.abc import Callable
from typing import assert_never

import attrs

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim, JobStatus
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.ending import Ending
from chef_supervisor.kernel import Actor, ActorGone, Down
from chef_supervisor.leases.leases import Leases
from chef_supervisor.log_writer import LogWriter
from chef_supervisor.protocol import EndRun, LeaseLost, RunnerMessage
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.workshop import Onlooker, Spoilt, Workshop

log = logging.getLogger("chef.runner")


class _Phase(enum.Enum):
    """How far a run is. Each but the first is the last one."""

    WORKING = enum.auto()
    # Its end is being told to the store: a lease lost now may be lost to that.
    ENDING = enum.auto()
    # The job is somebody else's, or over: nothing is told.
    DROPPED = enum.auto()
    # The process stops.
    PUT_BACK = enum.auto()
    # Its end was told; its last box is being removed, and holds the slot until it is gone.
    OVER = enum.auto()


@attrs.define(eq=False, kw_only=True)
class Runner(Actor[RunnerMessage]):
    """
    A temporary child: it ends when its job did.

    Told to stop it goes on for `grace_s`; then the job is put back without burning the run. So it is where the whole
    sandbox is away. A run that was spoilt in any other way is repeated later, so often and no more. Told that the job
    is not this run's any more it ends the box and changes nothing.
    """

    claim: Claim
    store: JobStore
    workshop: Workshop
    leases: Leases
    grace_s: float
    chance: Callable[[], float]
    _ending: Ending = attrs.field(init=False)
    _log: LogWriter = attrs.field(init=False)
    _job: asyncio.Task[None] | None = attrs.field(default=None, init=False)
    _phase: _Phase = attrs.field(default=_Phase.WORKING, init=False)
    _percent: int = attrs.field(default=0, init=False)
    _risen: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    # The end that is about to be told says 100: what is below that is news to nobody any more.
    _completed: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Know how it may end."""
        self._ending = Ending(claim=self.claim, store=self.store, chance=self.chance)
        self._log = LogWriter(self.claim, self.store)

    async def on_start(self) -> None:
        """Begin the job, and have its lease renewed and its progress told."""
        self.leases.hold(self.claim.run, self.claim.fence, self._on_lost)
        self._job = self.ctx.spawn(self._run(), name="job")
        # Not in the job itself: one that is cancelled before its first step never comes by.
        self._job.add_done_callback(lambda _: self.ctx.stop())
        self.ctx.spawn(self._report_progress(), name="progress")
        self.ctx.spawn(self._log.run(), name="log")

    async def receive(self, message: RunnerMessage | Down) -> None:
        """End the box of a job that is over, or somebody else's."""
        match message:
            case EndRun():
                self._drop(self._tell_cancelled)
            case LeaseLost():
                self._drop(self._ending.tell_fenced)
            case Down():
                pass
            case _:
                assert_never(message)

    async def on_stop(self) -> None:
        """Let the job come to its end, for so long; then end it and put it back."""
        if self._job is None:
            return
        self.ctx.spawn(self._obey(), name="orders")
        await asyncio.wait({self._job}, timeout=self.grace_s)
        # One that is dropped is leaving its box; a second cancel would tear it out of that.
        if not self._job.done() and self._phase is not _Phase.DROPPED:
            if self._phase is not _Phase.OVER:
                self._phase = _Phase.PUT_BACK
            self._job.cancel()
        await asyncio.wait({self._job})

    async def on_exit(self) -> None:
        """However it ends, its lease is not renewed any more."""
        self.leases.drop(self.claim.run, self.claim.fence)

    def _on_lost(self) -> None:
        with contextlib.suppress(ActorGone):
            self.ctx.ref.tell_nowait(LeaseLost())

    async def _obey(self) -> None:
        """Go on hearing orders where the kernel reads no more for us: the grace is long."""
        while True:
            envelope = await self.ctx.ref.mailbox.get()
            if isinstance(envelope.message, EndRun | LeaseLost):
                await self.receive(envelope.message)

    def _drop(self, tell: Callable[[], None]) -> None:
        if self._phase is _Phase.WORKING and self._job is not None:
            self._phase = _Phase.DROPPED
            tell()
            self._job.cancel()

    async def _run(self) -> None:
        try:
            async with self.workshop.performed(self.claim, Onlooker(self._raise_progress, self._log.hear)) as done:
                self._completed = isinstance(done, Outcome) and done.status is JobStatus.COMPLETED
                # Before the end is told: from then on nothing is added to the log.
                await self._log.close()
                await self._end(done)
                self._phase = _Phase.OVER
                self.leases.drop(self.claim.run, self.claim.fence)
        except asyncio.CancelledError:
            if self._phase is _Phase.PUT_BACK:
                await self._ending.put_back()
            raise

    async def _end(self, done: Outcome | Spoilt) -> None:
        match done:
            case Outcome():
                self._phase = _Phase.ENDING
                await self._ending.came_out(done)
            case Spoilt(reason):
                await self._give_up(reason)
            case _:
                assert_never(done)

    async def _give_up(self, reason: str) -> None:
        extra = self._ending.told("job.spoilt")
        log.warning("the run of job %s was spoilt: %s", self.claim.job_id, reason, extra=extra)
        # Where the sandbox is away no job of the queue is to blame; where it is well, this one may be, and its runs
        # are counted.
        away = await self.workshop.sandbox.is_away()
        self._phase = _Phase.ENDING
        if away:
            await self._ending.put_back()
        else:
            await self._ending.was_ruined(reason)

    def _tell_cancelled(self) -> None:
        sentence = "job %s is cancelled; its box is ended"
        log.info(sentence, self.claim.job_id, extra=self._ending.told("job.cancelled"))

    def _raise_progress(self, percent: int) -> None:
        if percent > self._percent:
            self._percent = percent
            self._risen.set()

    async def _report_progress(self) -> None:
        while True:
            await self._risen.wait()
            # Cleared before the call: a rise during it is told after it, and what lies between is not.
            self._risen.clear()
            if self._completed:
                return
            try:
                await self.store.progress(self.claim.job_id, self.claim.fence, self._percent)
            except StoreUnavailable as error:
                log.debug("progress of %s was not told: %s", self.claim.job_id, error)
