"""What callers of the service do to jobs: submit them, cancel them, take them up again."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, cast

from chef_supervisor.domain.errors import KeyReused, QueueFull, StoreUnavailable
from chef_supervisor.domain.job import JobId, JobStatus, NewJob, Tenant, queue_of
from chef_supervisor.store import codec, options, replies, subscribers
from chef_supervisor.store.answers import JobState, Original, Submitted
from chef_supervisor.store.base import StoreBase
from chef_supervisor.store.connect import Reply
from chef_supervisor.store.errors import bounded, of_job
from chef_supervisor.store.plain import LEAST_BYTES_PER_S

# Payloads up to this size, as stored, travel with their jobs; larger ones before them.
INLINE_BYTES: Final = 64 * 1024
# A payload is sent before its job: where the job does not follow, it goes away by itself.
_UNOWNED_PAYLOAD_MS: Final = 60_000
_SUBMIT_TRIES: Final = 2
_QUEUED, _FULL, _PAYLOAD_MISSING, _REPLAYED, _KEY_REUSED = 1, 2, 3, 4, 5


class Submitting(StoreBase):
    """Submits and cancels."""

    async def submit(self, job: NewJob) -> Submitted:
        """See `JobStore`."""
        if self._unfit:
            raise StoreUnavailable(self._unfit[0])
        stored = await codec.pack(job.payload)
        async with bounded(self._timeout_s + self._config.confirm_s + len(stored) / LEAST_BYTES_PER_S):
            for _ in range(_SUBMIT_TRIES):
                code, created_ms, job_id, superseded = await self._queue_job(job, stored)
                if code in (_QUEUED, _REPLAYED):
                    self._changed(job.job_id, bool(superseded))
                    return _submitted(job, code, int(created_ms), job_id.decode(), superseded.decode())
                _refuse(job, code)
        raise StoreUnavailable("a payload was gone before its job was queued")

    async def answered(self, job: NewJob) -> Submitted | None:
        """See `JobStore`."""
        name, body_sha256 = _request(job)
        if not name:
            return None
        [stored] = await self._plain.run(("GET", self._of(job.job_id).keys.request(name)))
        if stored is None:
            return None
        job_id, body, created_ms, superseded = stored.decode().split(" ")
        if body != body_sha256:
            raise KeyReused
        return _submitted(job, _REPLAYED, int(created_ms), job_id, superseded)

    async def cancel(self, job_id: JobId) -> JobState:
        """See `JobStore`."""
        async with bounded(self._timeout_s + self._config.confirm_s):
            with of_job(job_id):
                cancelled = await self._of(job_id).cancel.call((job_id,))
            self._changed(job_id, bool(cancelled))
            return await self.read(job_id)

    async def read(self, job_id: JobId) -> JobState:
        """See `JobStore`."""
        key = self._of(job_id).keys.job(job_id)
        with of_job(job_id):
            [fields] = await self._plain.run(("HMGET", key, *replies.STATE_FIELDS))
        return replies.job_state(job_id, fields)

    async def original(self, job_id: JobId) -> Original:
        """See `JobStore`."""
        keys = self._of(job_id).keys
        small = ("HMGET", keys.job(job_id), *replies.ORIGINAL_FIELDS)
        with of_job(job_id):
            fields, stored = await self._plain.run(small, ("GET", keys.payload(job_id)))
        return await replies.original(job_id, fields, stored)

    async def was_forgotten(self, job_id: JobId, tenant: Tenant) -> bool:
        """See `JobStore`."""
        [ended] = await self._plain.run(("ZSCORE", self._of(job_id).keys.key("forgotten"), f"{job_id} {tenant}"))
        return ended is not None

    async def _queue_job(self, job: NewJob, stored: bytes) -> Sequence[Reply]:
        queue, told = self._of(job.job_id), subscribers.encode(job.subscribers)
        inline = stored
        if len(stored) > INLINE_BYTES:
            inline = b""
            await self._plain.run(("SET", queue.keys.payload(job.job_id), stored, "PX", _UNOWNED_PAYLOAD_MS))
        item = (
            *(job.job_id, job.type, job.tenant, job.priority, len(stored) + len(told), inline),
            *(options.encode(job.options), job.options.attempts, job.delay_ms, "1" if job.supersedes else ""),
            *_request(job),
            told,
        )
        return cast("Sequence[Reply]", await queue.submit.call(item))


def _request(job: NewJob) -> tuple[str, str]:
    """Returns: the name that the key has in this queue, and what it stands for; its text is never stored."""
    if job.idempotency is None:
        return "", ""
    return sha256(f"{job.tenant}\0{job.idempotency.key}".encode()).hexdigest(), job.idempotency.body_sha256


def _refuse(job: NewJob, code: int) -> None:
    if code == _FULL:
        raise QueueFull(queue_of(job.job_id))
    if code == _KEY_REUSED:
        raise KeyReused


def _submitted(job: NewJob, code: int, created_at_ms: int, job_id: str, superseded: str) -> Submitted:
    state = JobState(
        job_id=JobId(job_id),
        type=job.type,
        status=JobStatus.PENDING,
        priority=job.priority,
        progress=0,
        runs=0,
        attempts=job.options.attempts,
        created_at_ms=created_at_ms,
        due_at_ms=created_at_ms + job.delay_ms if job.delay_ms else None,
        receivers=tuple(one.receiver for one in job.subscribers),
    )
    return Submitted(state=state, replayed=code == _REPLAYED, superseded=JobId(superseded) if superseded else None)
