"""Which ends may stand for other jobs, and what such a job is told."""

from __future__ import annotations

from typing import Final

import attrs

from chef_supervisor.domain.analysis import Answer
from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result

_MOST_WARNINGS: Final = 50


def may_stand_for_others(outcome: Outcome) -> bool:
    """Whether the same work would end the same again: it ran to its own end, and was run and not itself remembered."""
    if outcome.result.cached_from is not None or _asked_in_vain(outcome.result):
        return False
    completed = outcome.status is JobStatus.COMPLETED
    return completed or (outcome.status is JobStatus.FAILED and outcome.result.cause is Cause.EXIT)


def _asked_in_vain(result: Result) -> bool:
    # Vulnerabilities are asked of a registry: one that was away would be away for a day, for all who ask.
    told = result.analysis.vulnerabilities if result.analysis is not None else None
    return told is not None and told.status is Answer.UNKNOWN


def remembered_for_another(outcome: Outcome, job_id: JobId) -> Outcome:
    """Returns: the end of a job that did the same work before, as that of one that ran nothing; it says so."""
    said = f"Nothing was run: job {job_id} did the same work before, and this is its result."
    result = outcome.result
    warnings = (said, *result.warnings)[:_MOST_WARNINGS]
    return attrs.evolve(outcome, result=attrs.evolve(result, cached_from=job_id, warnings=warnings))
