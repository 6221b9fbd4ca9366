"""Runs one job from claim to outcome, and records the outcome itself, so that no result depends on anybody else."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Never, assert_never

import attrs

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.kernel import Actor
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.workshop import Spoilt, Workshop

log = logging.getLogger("chef.runner")
# While Redis is away an outcome is kept and tried again so often; the lease is long gone, but so is everybody's.
_FINISH_RETRY_S: Final = 1.0


@attrs.define(eq=False, kw_only=True)
class Runner(Actor[Never]):
    """
    A temporary child: it ends when its job did.

    Told to stop it goes on for `grace_s`; then the job is put back without burning the run. So it is where the whole
    sandbox is away. A run that was spoilt in any other way is left to its lease: the job is run again when that is
    over, so often and no more.
    """

    claim: Claim
    store: JobStore
    workshop: Workshop
    renew_s: float
    grace_s: float
    _job: asyncio.Task[None] | None = attrs.field(default=None, init=False)
    # Written by on_stop() only: a job that is cancelled for another reason is not put back.
    _told_to_stop: bool = attrs.field(default=False, init=False)
    # Written by _finish() only: from then on a lost lease is no reason to cancel, for it may be lost to our own finish.
    _finishing: bool = attrs.field(default=False, init=False)
    _percent: int = attrs.field(default=0, init=False)
    _risen: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    async def on_start(self) -> None:
        """Begin the job, its heartbeat and its progress."""
        self._job = self.ctx.spawn(self._run(), name="job")
        self.ctx.spawn(self._heartbeat(), name="heartbeat")
        self.ctx.spawn(self._report_progress(), name="progress")

    async def receive(self, message: object) -> None:
        """Nobody tells a runner anything; orders come through the store."""

    async def on_stop(self) -> None:
        """Let the job come to its end, for so long; then end it and put it back."""
        if self._job is None:
            return
        await asyncio.wait({self._job}, timeout=self.grace_s)
        if not self._job.done():
            self._told_to_stop = True
            self._job.cancel()
            await asyncio.wait({self._job})

    async def _run(self) -> None:
        try:
            done = await self.workshop.perform(self.claim, self._raise_progress)
            match done:
                case Outcome():
                    await self._finish(done)
                case Spoilt(reason):
                    await self._give_up(reason)
                case _:
                    assert_never(done)
        except asyncio.CancelledError:
            if self._told_to_stop:
                await self._put_back()
            raise
        finally:
            self.ctx.stop()

    async def _give_up(self, reason: str) -> None:
        log.warning("the run of job %s was spoilt: %s", self.claim.job_id, reason, extra=self._extra("job.spoilt"))
        # Where the sandbox is away no job of the queue is to blame; where it is well, this one may be, and its runs
        # are counted.
        if await self.workshop.sandbox.is_away():
            await self._put_back()

    def _raise_progress(self, percent: int) -> None:
        if percent > self._percent:
            self._percent = percent
            self._risen.set()

    async def _report_progress(self) -> None:
        while True:
            await self._risen.wait()
            # Cleared before the call: a rise during it is told after it, and what lies between is not.
            self._risen.clear()
            try:
                await self.store.progress(self.claim.job_id, self.claim.fence, self._percent)
            except StoreUnavailable as error:
                log.debug("progress of %s was not told: %s", self.claim.job_id, error)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self.renew_s)
            try:
                ours = await self.store.renew(self.claim.job_id, self.claim.fence)
            except StoreUnavailable as error:
                # Kept: the project's code has no network, so a second run elsewhere harms nobody.
                log.debug("lease of %s was not renewed: %s", self.claim.job_id, error)
                continue
            if not ours and self._job is not None and not self._finishing:
                self._tell_fenced()
                self._job.cancel()
                return

    async def _finish(self, outcome: Outcome) -> None:
        self._finishing = True
        if not await self._record(outcome):
            self._tell_fenced()
            return
        extra = self._extra(f"job.{outcome.status}") | {"verdict": str(outcome.result.verdict)}
        log.info("job %s %s", self.claim.job_id, outcome.status, extra=extra)

    async def _record(self, outcome: Outcome) -> bool:
        told = False
        while True:
            try:
                return await self.store.finish(self.claim.job_id, self.claim.fence, outcome)
            except StoreUnavailable as error:
                if not told:
                    extra = self._extra("store.unavailable")
                    log.warning("outcome of %s is kept: %s", self.claim.job_id, error, extra=extra)
                told = True
                await asyncio.sleep(_FINISH_RETRY_S)

    async def _put_back(self) -> None:
        try:
            if await self.store.release(self.claim.job_id, self.claim.fence):
                log.info("job %s is put back", self.claim.job_id, extra=self._extra("job.pending"))
        except StoreUnavailable as error:
            extra = self._extra("store.unavailable")
            log.warning("job %s is not put back; its lease runs out: %s", self.claim.job_id, error, extra=extra)

    def _tell_fenced(self) -> None:
        sentence = "job %s belongs to another run, or is over; this run is dropped"
        log.warning(sentence, self.claim.job_id, extra=self._extra("job.fenced"))

    def _extra(self, event: str) -> dict[str, object]:
        return {"event": event, "job_id": self.claim.job_id, "runs": self.claim.runs}
