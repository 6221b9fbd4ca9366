"""What the workers of the service do: claim jobs, hold them, and bring them to an end; and take them from the dead."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence
from typing import Final

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, QueueName, RunId, queue_of
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.store import codec, replies
from chef_supervisor.store.answers import Blame, Postponed, Reaped
from chef_supervisor.store.base import NONCE_BYTES, StoreBase
from chef_supervisor.store.connect import Reply
from chef_supervisor.store.endings import UNREADABLE
from chef_supervisor.store.errors import bounded
from chef_supervisor.store.keys import QueueKeys
from chef_supervisor.store.queue_commands import MAX_SLOTS, is_claim

log = logging.getLogger("chef.store")
# A run's end is told before its last box is removed.
_LEAVING_MS: Final = 5_000
# Of progress: it rose, and a receiver is told so.
_TOLD: Final = 2
_POSTPONED = (Postponed.FENCED, Postponed.WAITING, Postponed.POISONED)


class Running(StoreBase):
    """Claims, renews, ends, reaps."""

    async def claim(self, queue: QueueName, slots: int) -> Sequence[Claim]:
        """See `JobStore`."""
        if slots < 1:
            return ()
        commands, nonce = self._at(queue), secrets.token_hex(NONCE_BYTES)
        async with bounded(self._timeout_s):
            jobs = await commands.claim.call((nonce, min(slots, MAX_SLOTS)))
            taken = False
            try:
                claims = await self._with_payloads(commands.keys, nonce, jobs)
                taken = True
            finally:
                if not taken:
                    commands.give_back(nonce, jobs)
        if claims:
            self.on_change(queue)
        return claims

    async def renew(self, job_id: JobId, fence: Fence) -> bool:
        """See `JobStore`."""
        return bool(await self._fenced(self._of(job_id).renew, job_id, fence))

    async def progress(self, job_id: JobId, fence: Fence, percent: int) -> bool:
        """See `JobStore`."""
        command = self._of(job_id).progress
        code = await self._fenced(command, job_id, fence, max(0, min(percent, 99)))
        self._changed(job_id, code == _TOLD)
        return bool(code)

    async def finish(self, job_id: JobId, fence: Fence, outcome: Outcome) -> bool:
        """See `JobStore`."""
        result = await codec.pack(codec.encode_result(outcome.result))
        cause = outcome.result.cause or ""
        ours = await self._fenced(self._of(job_id).finish, job_id, fence, outcome.status, cause, result)
        return self._changed(job_id, bool(ours))

    async def release(self, job_id: JobId, fence: Fence) -> bool:
        """See `JobStore`."""
        return bool(await self._fenced(self._of(job_id).release, job_id, fence))

    async def postpone(self, job_id: JobId, fence: Fence, blame: Blame, reason: str, delay_ms: int) -> Postponed:
        """See `JobStore`."""
        rest = (blame, codec.one_line(reason), max(0, delay_ms))
        postponed = _POSTPONED[await self._fenced(self._of(job_id).postpone, job_id, fence, *rest)]
        self._changed(job_id, postponed is Postponed.POISONED)
        return postponed

    async def reap(self, queue: QueueName, limit: int = 100) -> Reaped:
        """See `JobStore`."""
        async with bounded(self._timeout_s):
            groups = await self._at(queue).reap.call((max(1, min(limit, MAX_SLOTS)),))
        requeued, poisoned, promoted, aside = (replies.job_ids(group) for group in groups[:4])
        _tell_aside(queue, aside)
        if poisoned:
            self.on_change(queue)
        return Reaped(requeued=requeued, poisoned=poisoned, promoted=promoted, forgotten=groups[4])

    async def take_back(self, queue: QueueName) -> Reaped:
        """See `JobStore`."""
        if not self._config.instance:
            return Reaped()
        async with bounded(self._timeout_s):
            groups = await self._at(queue).take_back.call((self._config.instance,))
        requeued, poisoned = (replies.job_ids(group) for group in groups)
        if poisoned:
            self.on_change(queue)
        return Reaped(requeued=requeued, poisoned=poisoned)

    async def owned(self, runs: Iterable[RunId]) -> frozenset[RunId]:
        """See `JobStore`."""
        asked = list(runs)
        try:
            return await self._owned(asked)
        except Bug:
            # One that cannot be read is nobody's, and says nothing of the others.
            return frozenset().union(*[await self._owned_if_readable(run) for run in asked])

    async def _owned_if_readable(self, run: RunId) -> frozenset[RunId]:
        try:
            return await self._owned([run])
        except Bug:
            return frozenset()

    async def _owned(self, runs: Sequence[RunId]) -> frozenset[RunId]:
        keys = [self._at(queue_of(run.job_id)).keys.job(run.job_id) for run in runs]
        asked = [("HMGET", key, "status", "claims", "finished") for key in keys]
        (now_s, now_us), *found = await self._plain.run(("TIME",), *asked)
        now_ms = int(now_s) * 1000 + int(now_us) // 1000
        return frozenset(run for run, fields in zip(runs, found, strict=True) if _is_of(fields, run, now_ms))

    async def _with_payloads(self, keys: QueueKeys, nonce: str, jobs: Sequence[Reply]) -> list[Claim]:
        claims: list[Claim] = []
        for job in jobs:
            job_id, stored = JobId(job[0].decode()), job[-1]
            if not is_claim(job):
                _tell_aside(keys.queue, [job_id])
                continue
            if stored is None:
                [stored] = await self._plain.run(("GET", keys.payload(job_id)))
            try:
                claims.append(replies.claim(job, nonce, await codec.unpack(stored or b"")))
            except (Bug, ValueError):
                # Whoever claims it next would be no wiser: it must not come back for ever.
                await self.finish(job_id, Fence(run=job[3], nonce=nonce), UNREADABLE)
        return claims


def _is_of(fields: Sequence[bytes | None], run: RunId, now_ms: int) -> bool:
    status, claims, finished = fields
    if claims != str(run.number).encode():
        return False
    return status == JobStatus.PROCESSING.encode() or (
        finished is not None and 0 <= now_ms - int(finished) < _LEAVING_MS
    )


def _tell_aside(queue: QueueName, job_ids: Iterable[JobId]) -> None:
    for job_id in job_ids:
        extra = {"event": "job.set_aside", "job_id": job_id, "queue": queue}
        log.error("job %s is set aside: what is stored of it is not what was written", job_id, extra=extra)
