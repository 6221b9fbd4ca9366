"""The results of jobs that nobody ran to their end, as they are stored: made once, for the scripts to put in place."""

from __future__ import annotations

from typing import Final

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.store.codec import encode_result, pack_plain, pack_small

# The script puts there what became of each run.
_STORY: Final = "@STORY@"


def _cancelled(cause: Cause, message: str) -> bytes:
    result = Result(verdict=Verdict.SKIPPED, cause=cause, message=message, summary=f"cancelled: {message}")
    return pack_small(encode_result(result))


def _poisoned() -> bytes:
    message = "Too many runs of this job were ruined, or took their supervisor along; it is not run again."
    summary = f"failed: {message}\nWhat became of its runs:\n{_STORY}"
    return pack_plain(
        encode_result(Result(verdict=Verdict.FAILED, cause=Cause.POISONED, message=message, summary=summary))
    )


CANCELLED: Final = _cancelled(Cause.CANCELLED, "The job was cancelled.")
SUPERSEDED: Final = _cancelled(Cause.SUPERSEDED, "A newer job of the same chat and type took its place.")
POISONED: Final = _poisoned()
UNREADABLE: Final = Outcome(
    status=JobStatus.FAILED,
    result=Result(
        verdict=Verdict.FAILED,
        cause=Cause.INFRASTRUCTURE,
        message="What was stored of the job cannot be read any more; send it again.",
        summary="failed: what was stored of the job cannot be read any more; send it again.",
    ),
)
