"""
Every message, in data-flow order: one page is the whole conversation.

store -> dispatcher: work may wait        WorkArrived
dispatcher -> itself: I still turn        Beat
dispatcher -> pool: jobs that are ours    StartJobs
pool -> runners: a child for each         kernel.StartChildren
runner -> store: progress, outcome        (calls, not messages)
store -> courier -> pool -> runner: end   EndRun
lease keeper -> runner: the lease is lost LeaseLost
pool -> dispatcher: the slot is free      SlotFreed
dispatcher -> pool: what do you hold?     Holdings
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from chef_supervisor.domain.job import Claim, QueueName, RunId
from chef_supervisor.kernel import Question


@attrs.frozen
class WorkArrived:
    """A hint: the queue may have jobs. Losing one costs at most one poll interval."""

    queue: QueueName


@attrs.frozen
class Beat:
    """Shows that the dispatcher handles what comes into its mailbox."""


@attrs.frozen
class StartJobs:
    """Run these jobs; the slot of each is taken until the pool says SlotFreed."""

    claims: tuple[Claim, ...]


@attrs.frozen
class EndRun:
    """The job was cancelled: whoever has that run ends its box at once. Nobody has it: nothing happens."""

    run: RunId


@attrs.frozen
class LeaseLost:
    """A renewal was answered "fenced": the job is somebody else's, or over."""


@attrs.frozen
class SlotFreed:
    """A runner of the queue is gone, whatever became of its job."""

    queue: QueueName
    run: RunId


@attrs.frozen
class Holdings(Question[frozenset[RunId]]):
    """Asks a pool which runs it has; answered after every StartJobs sent before."""


DispatcherMessage: TypeAlias = WorkArrived | Beat | SlotFreed
PoolMessage: TypeAlias = StartJobs | EndRun | Holdings
RunnerMessage: TypeAlias = EndRun | LeaseLost
