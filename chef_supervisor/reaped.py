"""Tells the log what became of jobs that were taken from the dead, whoever took them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.store.answers import Reaped


def tell_reaped(log: logging.Logger, queue: QueueName, reaped: Reaped, *, requeued: str) -> None:
    """One record a job. `requeued`: the sentence for those that wait again, with a `%s` for the job."""
    _tell(log, queue, reaped.requeued, "job.pending", requeued)
    _tell(log, queue, reaped.promoted, "job.pending", "job %s is due")
    _tell(log, queue, reaped.poisoned, "job.failed", "job %s is poisoned: too many of its runs were lost")


def _tell(log: logging.Logger, queue: QueueName, job_ids: Iterable[JobId], event: str, sentence: str) -> None:
    for job_id in job_ids:
        log.info(sentence, job_id, extra={"event": event, "job_id": job_id, "queue": queue})
