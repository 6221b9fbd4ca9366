"""
What the service answers, typed.

A newer service may say more: fields that are not known here are left out, words that are not known stay text, and what
an older one does not say yet has a default.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs

from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Cause, Severity, StepStatus, Verdict

_OPEN = (JobStatus.PENDING, JobStatus.PROCESSING)


@attrs.frozen(kw_only=True)
class Output:
    """What was printed: the first and the last part, and how many bytes between them are not kept."""

    head: str = ""
    tail: str = ""
    dropped_bytes: int = 0


@attrs.frozen(kw_only=True)
class Step:
    """One step. `exit_code` is None where it did not run or was killed."""

    name: str
    status: StepStatus | str
    exit_code: int | None = None
    ms: int = 0
    output: Output | None = None


@attrs.frozen(kw_only=True)
class TestCase:
    """One test. `message` is empty for one that passed."""

    __test__ = False  # pytest would collect the name

    name: str
    status: Verdict | str
    file: str = ""
    ms: int = 0
    message: str = ""


@attrs.frozen(kw_only=True)
class Tests:
    """What was counted; of the cases there are some, failed ones first."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    cases: tuple[TestCase, ...] = ()


@attrs.frozen(kw_only=True)
class Diagnostic:
    """One finding of a tool. Line and column count from 1; 0 = unknown."""

    file: str
    message: str
    line: int = 0
    column: int = 0
    severity: Severity | str = Severity.ERROR
    code: str = ""
    tool: str = ""


@attrs.frozen(kw_only=True)
class Artifact:
    """A file that the job made. The path is what the service says: look at it before it is used as one."""

    path: str
    bytes: int
    sha256: str


@attrs.frozen(kw_only=True)
class JobResult:
    """What was found. `cached_from`: the job that did the same work before, where nothing was run for this one."""

    verdict: Verdict | str
    cause: Cause | str | None = None
    message: str = ""
    steps: tuple[Step, ...] = ()
    tests: Tests | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    summary: str = ""
    output: Output = Output()
    warnings: tuple[str, ...] = ()
    toolchain: str = ""
    cached_from: str | None = None
    analysis: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True)
class Delivery:
    """
    What became of telling one receiver of the job's latest event, which is number `seq`.

    `status`: `waiting`, `delivered`, `given_up` (a start or progress) or `undeliverable` (an end). `reason`: why the last
    try was in vain.
    """

    receiver: str
    status: str
    event: str = ""
    seq: int = 0
    tries: int = 0
    reason: str | None = None
    next_try_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Job:
    """A job as it was when it was asked for; `raw` is the whole answer, with what is not known here."""

    job_id: str
    type: JobType | str
    status: JobStatus | str
    queue: str = ""
    priority: int = 0
    progress: int = 0
    runs: int = 0
    failures: int = 0
    attempts: int = 1
    created_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    cause: Cause | str | None = None
    result: JobResult | None = None
    # Not of the job itself: whoever waits for a change of it is not told of these.
    deliveries: tuple[Delivery, ...] = attrs.field(default=(), eq=False)
    retry_of: str | None = None
    supersedes: str | None = None
    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False, eq=False)

    @property
    def over(self) -> bool:
        """Whether the job has its end, which never changes."""
        return self.status not in _OPEN

    @property
    def passed(self) -> bool:
        """Whether it ran to its end as asked, or there was nothing to do."""
        return self.status == JobStatus.COMPLETED and (self.result is None or self.result.verdict != Verdict.FAILED)


@attrs.frozen(kw_only=True)
class QueueCounts:
    """Jobs of one queue; the ended ones are those that are still kept."""

    waiting: int = 0
    active: int = 0
    delayed: int = 0
    completed: int = 0
    failed: int = 0
    timeout: int = 0
    cancelled: int = 0


@attrs.frozen(kw_only=True)
class Health:
    """Whether jobs are accepted (`healthy`, or `degraded`: they wait), or not (`unhealthy`), and why."""

    status: str
    redis: str = ""
    sandbox: str = ""
    sandbox_reason: str = ""
    reasons: tuple[str, ...] = ()
