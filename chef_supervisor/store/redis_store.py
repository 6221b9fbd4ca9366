"""The job store on Redis: what callers ask, in terms of scripts and plain commands."""

from __future__ import annotations

from chef_supervisor.store.job_logs import JobLogs
from chef_supervisor.store.outbox import Outbox
from chef_supervisor.store.reading import Reading
from chef_supervisor.store.remembering import Remembering
from chef_supervisor.store.running import Running
from chef_supervisor.store.submitting import INLINE_BYTES, Submitting

__all__ = ["INLINE_BYTES", "RedisJobStore"]


class RedisJobStore(Submitting, Running, JobLogs, Reading, Remembering, Outbox):
    """Implements `JobStore`, a part for each of those who ask: callers, workers, onlookers, the notifier."""
