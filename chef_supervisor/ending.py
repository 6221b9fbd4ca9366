"""How a run ends: decides between its outcome and another run, and tells the store, for as long as that takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, assert_never

import attrs

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim, JobStatus
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.domain.retry import INFRASTRUCTURE
from chef_supervisor.store.answers import Blame, Postponed
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.runner")
T = TypeVar("T")
# While Redis is away an end is kept and told again so often; the lease is long gone, but so is everybody's.
_RETRY_S: Final = 1.0


@attrs.frozen(kw_only=True)
class Ending:
    """
    The end of one run. `chance` gives numbers from 0 to 1, which spread the runs that failed together.

    Where the job is another run's by then, or over, nothing is changed, and the log says so.
    """

    claim: Claim
    store: JobStore
    chance: Callable[[], float]

    async def came_out(self, outcome: Outcome) -> None:
        """Record the outcome; or have the project run again, where it failed and has attempts left."""
        failures = self.claim.failures + 1
        failed = outcome.status in (JobStatus.FAILED, JobStatus.TIMEOUT)
        # What was recalled was not tried: that is what such a job asked for, and each attempt would recall the same.
        tried = outcome.result.cached_from is None
        if failed and tried and failures < self.claim.options.attempts:
            delay_ms = self.claim.options.backoff.wait_ms(failures, self.chance())
            await self._postpone(Blame.PROJECT, outcome.result.message, delay_ms)
        else:
            await self._finish(outcome)

    async def was_ruined(self, reason: str) -> None:
        """Have the job run again, for nothing is known of it; one whose runs are ruined again and again is poisoned."""
        ruined = self.claim.runs - self.claim.failures
        await self._postpone(Blame.INFRASTRUCTURE, reason, INFRASTRUCTURE.wait_ms(ruined, self.chance()))

    async def put_back(self) -> None:
        """Give the run back unspent. Asked once: what Redis does not hear of, the end of the lease tells it."""
        try:
            if await self.store.release(self.claim.job_id, self.claim.fence):
                log.info("job %s is put back", self.claim.job_id, extra=self.told("job.pending"))
        except StoreUnavailable as error:
            extra = self.told("store.unavailable")
            log.warning("job %s is not put back; its lease runs out: %s", self.claim.job_id, error, extra=extra)

    def tell_fenced(self) -> None:
        """Log that the run is nobody's any more."""
        sentence = "job %s belongs to another run, or is over; this run is dropped"
        log.warning(sentence, self.claim.job_id, extra=self.told("job.fenced"))

    def told(self, event: str, **more: object) -> dict[str, object]:
        """Returns: what every record of this run carries."""
        return {"event": event, "job_id": self.claim.job_id, "runs": self.claim.runs, **more}

    async def _finish(self, outcome: Outcome) -> None:
        if await self._until_told(lambda: self.store.finish(self.claim.job_id, self.claim.fence, outcome)):
            extra = self.told(f"job.{outcome.status}", verdict=str(outcome.result.verdict))
            log.info("job %s %s", self.claim.job_id, outcome.status, extra=extra)
        else:
            self.tell_fenced()

    async def _postpone(self, blame: Blame, reason: str, delay_ms: int) -> None:
        job_id, fence = self.claim.job_id, self.claim.fence
        became = await self._until_told(lambda: self.store.postpone(job_id, fence, blame, reason, delay_ms))
        match became:
            case Postponed.WAITING:
                extra = self.told("job.retrying", blame=str(blame), delay_ms=delay_ms)
                log.info("job %s is run again in %d ms: %s", job_id, delay_ms, reason, extra=extra)
            case Postponed.POISONED:
                extra = self.told("job.failed", cause="poisoned")
                log.warning("job %s is poisoned: its runs were ruined again and again", job_id, extra=extra)
            case Postponed.FENCED:
                self.tell_fenced()
            case _:
                assert_never(became)

    async def _until_told(self, tell: Callable[[], Awaitable[T]]) -> T:
        told = False
        while True:
            try:
                return await tell()
            except StoreUnavailable as error:
                if not told:
                    extra = self.told("store.unavailable")
                    log.warning("the end of a run of %s is kept: %s", self.claim.job_id, error, extra=extra)
                told = True
                await asyncio.sleep(_RETRY_S)
