"""
The rules of the store once more, on a dict: what a real one must answer to the same calls, at the same time.

It finds the next job by sorting and knows nothing of sorted sets; it shares nothing with the scripts but the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import attrs

from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, NewJob
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store.answers import Blame, Postponed
from tests.integration.store.making import LEASE_MS

MAX_RUINED_RUNS = 3
Place: TypeAlias = tuple[int, int, int]


@attrs.define(eq=False)
class Known:
    """What the model knows of a job. `place` is where it waits, best first; none before its first delay is over."""

    job: NewJob
    number: int
    place: Place | None = None
    due_ms: int | None = None
    status: JobStatus = JobStatus.PENDING
    cause: str | None = None
    runs: int = 0
    failures: int = 0
    progress: int = 0
    holder: Fence | None = None
    instance: str = ""
    freed: Fence | None = None
    lease_end_ms: int = 0

    @property
    def live(self) -> bool:
        return not self.status.terminal

    @property
    def ready(self) -> bool:
        return self.status is JobStatus.PENDING and self.due_ms is None


@attrs.define(eq=False)
class Model:
    """Each method is told the time, and returns what the store must return."""

    jobs: dict[JobId, Known] = attrs.field(factory=dict)
    _last_claimed: dict[int, int] = attrs.field(factory=dict)
    _last_given: dict[tuple[int, str], int] = attrs.field(factory=dict)
    _latest: dict[str, JobId] = attrs.field(factory=dict)
    _reaped_ms: int = 0
    _reap_from_ms: int = 0

    def submit(self, job: NewJob, now_ms: int) -> JobId | None:
        """Returns: the job that was superseded."""
        before = self.jobs.get(self._latest.get(job.tenant, JobId(""))) if job.supersedes else None
        known = self.jobs[job.job_id] = Known(job, len(self.jobs))
        if job.delay_ms:
            known.due_ms = now_ms + job.delay_ms
        else:
            self._place(known)
        if job.supersedes:
            self._latest[job.tenant] = job.job_id
        if before is None or not before.live:
            return None
        self._end(before, JobStatus.CANCELLED, "superseded")
        return before.job.job_id

    def claimable(self, slots: int) -> list[Known]:
        """Returns: the jobs that a claim must bring, best first."""
        ready = [known for known in self.jobs.values() if known.ready and known.place is not None]
        return sorted(ready, key=lambda known: known.place or (0, 0, 0))[:slots]

    def claimed(self, known: Known, claim: Claim, instance: str, now_ms: int) -> None:
        """Take note of a claim."""
        known.status, known.runs, known.holder = JobStatus.PROCESSING, known.runs + 1, claim.fence
        known.instance, known.lease_end_ms = instance, now_ms + LEASE_MS
        priority, turn, _ = known.place or (0, 0, 0)
        self._last_claimed[-priority] = max(self._last_claimed.get(-priority, 0), turn)

    def renew(self, claim: Claim, now_ms: int) -> bool:
        """Returns: whether the lease goes on."""
        known = self.jobs[claim.job_id]
        if self.holds(claim):
            known.lease_end_ms = now_ms + LEASE_MS
        return self.holds(claim)

    def progress(self, claim: Claim, percent: int) -> bool:
        """Returns: whether it was the holder who said so."""
        known = self.jobs[claim.job_id]
        if self.holds(claim):
            known.progress = max(known.progress, min(percent, 99))
        return self.holds(claim)

    def finish(self, claim: Claim, outcome: Outcome) -> bool:
        """Returns: whether it is this claim's end, now or before."""
        known = self.jobs[claim.job_id]
        if self.holds(claim):
            cause = outcome.result.cause
            known.failures += outcome.status in (JobStatus.FAILED, JobStatus.TIMEOUT)
            self._end(known, outcome.status, None if cause is None else cause.value)
            known.holder = claim.fence
        return known.holder == claim.fence

    def release(self, claim: Claim) -> bool:
        """Returns: whether the claim gave it back, now or before."""
        known = self.jobs[claim.job_id]
        if self.holds(claim):
            known.status, known.runs, known.holder, known.freed = JobStatus.PENDING, known.runs - 1, None, claim.fence
        return known.freed == claim.fence

    def postpone(self, claim: Claim, blame: Blame, delay_ms: int, now_ms: int) -> Postponed:
        """Returns: what becomes of the job."""
        known = self.jobs[claim.job_id]
        if self.holds(claim):
            known.freed = claim.fence
            if blame is Blame.PROJECT:
                known.failures += 1
                self._wait(known, delay_ms, now_ms)
            else:
                self._ruin(known, delay_ms, now_ms)
        if known.freed != claim.fence:
            return Postponed.FENCED
        return Postponed.POISONED if known.cause == "poisoned" else Postponed.WAITING

    def cancel(self, job_id: JobId) -> None:
        """A job that is over stays as it is."""
        if self.jobs[job_id].live:
            self._end(self.jobs[job_id], JobStatus.CANCELLED, "cancelled")

    def reap(self, now_ms: int) -> tuple[set[JobId], set[JobId]]:
        """Returns: whose leases ran out, and what fell due."""
        gap_ms, self._reaped_ms = now_ms - self._reaped_ms, now_ms
        if gap_ms > LEASE_MS / 2 or gap_ms < 0:
            self._reap_from_ms = now_ms + LEASE_MS
            for known in self._running():
                if known.lease_end_ms >= now_ms + 2 * LEASE_MS:
                    known.lease_end_ms = self._reap_from_ms
        late = [known for known in self._running() if known.lease_end_ms <= now_ms]
        late = late if now_ms >= self._reap_from_ms else []
        for known in late:
            self._ruin(known, None, now_ms)
        return {known.job.job_id for known in late}, self._promote(now_ms)

    def take_back(self, instance: str, now_ms: int) -> set[JobId]:
        """Returns: what that instance held."""
        held = [known for known in self._running() if known.instance == instance]
        for known in held:
            self._ruin(known, None, now_ms)
        return {known.job.job_id for known in held}

    def holds(self, claim: Claim) -> bool:
        """Returns: whether the claim's run is the one that the job has now."""
        known = self.jobs[claim.job_id]
        return known.status is JobStatus.PROCESSING and known.holder == claim.fence

    def _promote(self, now_ms: int) -> set[JobId]:
        due = [known for known in self.jobs.values() if known.live and known.due_ms is not None]
        due = sorted(
            (known for known in due if (known.due_ms or 0) <= now_ms),
            key=lambda known: (known.due_ms or 0, known.job.job_id),
        )
        for known in due:
            known.due_ms = None
            if known.place is None:
                self._place(known)
        return {known.job.job_id for known in due}

    def _running(self) -> Iterable[Known]:
        return [known for known in self.jobs.values() if known.status is JobStatus.PROCESSING]

    def _place(self, known: Known) -> None:
        priority, lane = known.job.priority, (known.job.priority, known.job.tenant)
        turn = max(self._last_claimed.get(priority, 0), self._last_given.get(lane, -1) + 1)
        self._last_given[lane] = turn
        known.place = (-priority, turn, known.number)

    def _wait(self, known: Known, delay_ms: int, now_ms: int) -> None:
        known.status, known.holder = JobStatus.PENDING, None
        known.due_ms = now_ms + delay_ms if delay_ms else None

    def _ruin(self, known: Known, delay_ms: int | None, now_ms: int) -> None:
        ruined = known.runs - known.failures
        if ruined > MAX_RUINED_RUNS:
            self._end(known, JobStatus.FAILED, "poisoned")
        else:
            growing_ms = min(60_000, 1_000 * 2 ** (ruined - 2)) if ruined > 1 else 0
            self._wait(known, growing_ms if delay_ms is None else delay_ms, now_ms)

    def _end(self, known: Known, status: JobStatus, cause: str | None) -> None:
        known.status, known.cause, known.holder, known.due_ms = status, cause, None, None
        if status is JobStatus.COMPLETED:
            known.progress = 100
