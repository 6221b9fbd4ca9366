"""How a run ended and what was found: the result in the one shape that every toolchain's reports become."""

from __future__ import annotations

import enum

import attrs

from chef_supervisor.domain.analysis import Analysis
from chef_supervisor.domain.job import JobStatus


class Verdict(enum.StrEnum):
    """What was found; `JobStatus` says whether the job ran to its end as asked."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Cause(enum.StrEnum):
    """Why a job did not simply pass; one word a program can switch on."""

    EXIT = "exit"
    NO_TESTS = "no_tests"
    NO_SCRIPT = "no_script"
    OOM = "oom"
    DISK_FULL = "disk_full"
    PIDS = "pids"
    TIMEOUT = "timeout"
    OUTPUT_LIMIT = "output_limit"
    BAD_ARCHIVE = "bad_archive"
    INSTALL_FAILED = "install_failed"
    NO_TOOLCHAIN = "no_toolchain"
    POISONED = "poisoned"
    INFRASTRUCTURE = "infrastructure"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class StepStatus(enum.StrEnum):
    """How one step ended; a step after a failed one is skipped."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"


class Severity(enum.StrEnum):
    """How bad a diagnostic is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@attrs.frozen(kw_only=True)
class Output:
    """What was printed: the first and the last part, and how many bytes between them were dropped."""

    head: str = ""
    tail: str = ""
    dropped_bytes: int = 0


@attrs.frozen(kw_only=True)
class StepResult:
    """One step. `exit_code` is None where it did not run or was killed; `output` where it did not run."""

    name: str
    status: StepStatus
    exit_code: int | None
    ms: int
    output: Output | None = None


@attrs.frozen(kw_only=True)
class TestCase:
    """One test that the project's runner reported. `message` is empty for a test that passed."""

    __test__ = False  # pytest would collect the name

    name: str
    file: str
    status: Verdict
    ms: int
    message: str = ""


@attrs.frozen(kw_only=True)
class TestCounts:
    """What the test runner counted; `cases` may be fewer (bounded), failed ones first."""

    __test__ = False

    passed: int
    failed: int
    skipped: int
    cases: tuple[TestCase, ...] = ()


@attrs.frozen(kw_only=True)
class Diagnostic:
    """One finding of a tool. `file` is relative to the project; line and column count from 1, 0 where unknown."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    tool: str


@attrs.frozen(kw_only=True)
class Artifact:
    """A file that the job made. `path` is relative to the project; the digest is SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


@attrs.frozen(kw_only=True)
class Result:
    """
    What was found. `message` is one sentence for a person; `summary` at most 4 kB for a person or a model.

    `toolchain`: the name of the one that was used. `cached_from`: the job that did the same work before, where nothing
    was run for this one.
    """

    verdict: Verdict
    cause: Cause | None = None
    message: str = ""
    steps: tuple[StepResult, ...] = ()
    tests: TestCounts | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    summary: str = ""
    output: Output = Output()
    warnings: tuple[str, ...] = ()
    toolchain: str = ""
    cached_from: str | None = None
    analysis: Analysis | None = None


@attrs.frozen(kw_only=True)
class Outcome:
    """The terminal state of a job and its result."""

    status: JobStatus = attrs.field()
    result: Result

    @status.validator
    def _terminal(self, _attribute: object, status: JobStatus) -> None:
        if not status.terminal:
            msg = f"{status} is no terminal status"
            raise ValueError(msg)
