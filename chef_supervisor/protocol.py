"""
Every message, in data-flow order: one page is the whole conversation.

store -> dispatcher: work may wait        WorkArrived
dispatcher -> pool: a job that is ours    StartJob
pool -> runners: a child for it           kernel.StartChild
runner -> store: progress, outcome        (calls, not messages)
pool -> dispatcher: the slot is free      SlotFreed
dispatcher -> pool: what do you hold?     Holdings
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from chef_supervisor.domain.job import Claim, JobId, QueueName
from chef_supervisor.kernel import Question


@attrs.frozen
class WorkArrived:
    """A hint: the queue may have jobs. Losing one costs at most one poll interval."""

    queue: QueueName


@attrs.frozen
class StartJob:
    """Run this job; its slot is taken until the pool says SlotFreed."""

    claim: Claim


@attrs.frozen
class SlotFreed:
    """A runner of the queue is gone, whatever became of its job."""

    queue: QueueName
    job_id: JobId


@attrs.frozen
class Holdings(Question[frozenset[JobId]]):
    """Asks a pool which jobs it runs; answered after every StartJob sent before."""


DispatcherMessage: TypeAlias = WorkArrived | SlotFreed
PoolMessage: TypeAlias = StartJob | Holdings
