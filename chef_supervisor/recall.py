"""Results that stand for others: looked up before a job's boxes are started, and remembered when they are done."""

from __future__ import annotations

import logging
from typing import Final, Protocol

import attrs

from chef_supervisor.artifacts.keeping import Keeping
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import Claim, JobId, QueueName, queue_of
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.engine.result_cache import may_stand_for_others, remembered_for_another
from chef_supervisor.store.answers import Remembered

_log: Final = logging.getLogger("chef.recall")


class RemembersResults(Protocol):
    """What the job store can do for this."""

    async def remember_result(self, job_id: JobId, key: str, keep_s: float) -> None:
        """See `JobStore`."""

    async def remembered(self, queue: QueueName, key: str) -> Remembered | None:
        """See `JobStore`."""


@attrs.frozen(kw_only=True)
class Recall:
    """
    One for all runners; without a store nothing is recalled, and nothing is remembered.

    `keep_s`: how long a piece of work is known, at most as long as the job that did it is kept.
    """

    store: RemembersResults | None = None
    keep_s: float = 0
    artifacts: Keeping = attrs.field(factory=Keeping)

    async def outcome(self, claim: Claim, key: str) -> Outcome | None:
        """Returns: how that work ended before, with its artifacts now those of this job too; None where nobody knows."""
        # One that failed before and has attempts left is to be run again, and not told again that it failed.
        if self.store is None or claim.failures:
            return None
        try:
            known = await self.store.remembered(queue_of(claim.job_id), key)
        except StoreUnavailable as error:
            _log.info("%s is run: %s", claim.job_id, error, extra={"event": "result.not_recalled"})
            return None
        # The job that did the work may have been run again since, and ended otherwise.
        if known is None or known.job_id == claim.job_id or not may_stand_for_others(known.outcome):
            return None
        if not await self.artifacts.copied(known.job_id, claim.job_id, known.outcome.result.artifacts):
            return None
        return remembered_for_another(known.outcome, known.job_id)

    async def remember(self, claim: Claim, key: str, outcome: Outcome) -> None:
        """
        Let the result stand for others, if it may.

        The job is named before its end is recorded: until then, and where it is never recorded, nothing is found.
        """
        if self.store is None or not may_stand_for_others(outcome):
            return
        try:
            await self.store.remember_result(claim.job_id, key, self.keep_s)
        except StoreUnavailable as error:
            _log.info("%s stands for no other: %s", claim.job_id, error, extra={"event": "result.not_remembered"})
