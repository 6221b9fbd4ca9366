"""The job store on Redis: what callers ask, in terms of scripts and plain commands."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Final, cast

from redis.exceptions import ResponseError

from chef_supervisor.domain.errors import Bug, QueueFull, StoreUnavailable, UnknownJob
from chef_supervisor.domain.job import Claim, Fence, JobId, JobStatus, NewJob, QueueName, queue_of
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.store import codec, event_reader, replies
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.connect import Command, Lines, Reply, make_line
from chef_supervisor.store.errors import bounded
from chef_supervisor.store.evaluate import Evaluator
from chef_supervisor.store.job_store import Gap, JobEvent, JobState, QueueStats, Reaped
from chef_supervisor.store.keys import QueueKeys, probe_key
from chef_supervisor.store.plain import PlainCommands
from chef_supervisor.store.queue_commands import MAX_SLOTS, Commands, QueueCommands, fence_text
from chef_supervisor.store.server_clock import ServerClock

# Payloads up to this size, as stored, are a field of the job's hash; larger ones a key of their own.
INLINE_BYTES: Final = 64 * 1024
# A payload is sent before its job: where the job does not follow, it goes away by itself.
_UNOWNED_PAYLOAD_MS: Final = 60_000
_PROBE_MS: Final = 10_000
_EVENTS_AT_ONCE: Final = 256
_NONCE_BYTES: Final = 16
_SUBMIT_TRIES: Final = 2
_QUEUED, _FULL = 1, 2
_UNREADABLE: Final = Outcome(
    status=JobStatus.FAILED,
    result=Result(
        verdict=Verdict.FAILED, cause=Cause.INFRASTRUCTURE, message="the job's files cannot be read any more"
    ),
)


class RedisJobStore:
    """Implements `JobStore`. Connects at the first call; each queue, command and kind of blocking has its own flights."""

    def __init__(self, config: StoreConfig, *, now_ms: Callable[[], int] | None = None) -> None:
        """Take `now_ms` as the clock where it is given, as tests do, and the server's own otherwise."""
        self._config = config
        self._timeout_s = config.command_timeout_s
        self._lines = Lines(lambda: make_line(config))
        # Apart from the others: a blocked connection is of no use to anybody else.
        self._blocking = Lines(lambda: make_line(config))
        self._evaluator = Evaluator(self._lines, ServerClock(now_ms, self._timeout_s), self._timeout_s)
        self._queues = {queue: self._open(queue) for queue in config.queues}
        self._plain = PlainCommands(self._lines, self._timeout_s)

    async def submit(self, job: NewJob) -> JobState:
        """See `JobStore`."""
        async with bounded(self._timeout_s):
            stored = await codec.pack(job.payload)
            for _ in range(_SUBMIT_TRIES):
                code, created_ms = await self._queue_job(job, stored)
                if code == _QUEUED:
                    return _pending(job, int(created_ms))
                if code == _FULL:
                    raise QueueFull(queue_of(job.job_id))
        raise StoreUnavailable("a payload was gone before its job was queued")

    async def claim(self, queue: QueueName, slots: int) -> Sequence[Claim]:
        """See `JobStore`."""
        if slots < 1:
            return ()
        commands, nonce = self._at(queue), secrets.token_hex(_NONCE_BYTES)
        async with bounded(self._timeout_s):
            jobs = await commands.claim.call((nonce, min(slots, MAX_SLOTS)))
            taken = False
            try:
                claims = await self._with_payloads(commands.keys, nonce, jobs)
                taken = True
            finally:
                if not taken:
                    commands.give_back(nonce, jobs)
        return claims

    async def renew(self, job_id: JobId, fence: Fence) -> bool:
        """See `JobStore`."""
        return await self._fenced(self._of(job_id).renew, job_id, fence)

    async def progress(self, job_id: JobId, fence: Fence, percent: int) -> bool:
        """See `JobStore`."""
        return await self._fenced(self._of(job_id).progress, job_id, fence, max(0, min(percent, 99)))

    async def finish(self, job_id: JobId, fence: Fence, outcome: Outcome) -> bool:
        """See `JobStore`."""
        result = await codec.pack(codec.encode_result(outcome.result))
        cause = outcome.result.cause or ""
        return await self._fenced(self._of(job_id).finish, job_id, fence, outcome.status, cause, result)

    async def release(self, job_id: JobId, fence: Fence) -> bool:
        """See `JobStore`."""
        return await self._fenced(self._of(job_id).release, job_id, fence)

    async def read(self, job_id: JobId) -> JobState:
        """See `JobStore`."""
        key = self._of(job_id).keys.job(job_id)
        [fields] = await self._plain.run(("HMGET", key, *replies.STATE_FIELDS))
        return replies.job_state(job_id, fields)

    async def result(self, job_id: JobId) -> bytes | None:
        """See `JobStore`."""
        [stored] = await self._plain.run(("GET", self._of(job_id).keys.result(job_id)))
        return None if stored is None else await codec.unpack(stored)

    async def stats(self) -> dict[QueueName, QueueStats]:
        """See `JobStore`."""
        counts = await self._plain.run(*(command for queue in self._queues.values() for command in _stats(queue.keys)))
        width = len(replies.STATS_SETS) + 1
        rows = [counts[start : start + width] for start in range(0, len(counts), width)]
        return {queue: replies.stats(row[:-1], row[-1]) for queue, row in zip(self._queues, rows, strict=True)}

    async def wait_for_work(self, queue: QueueName, timeout_s: float) -> bool:
        """See `JobStore`."""
        # Redis takes 0 for "for ever".
        wait_s = max(timeout_s, 0.01)
        return await self._block(("BZPOPMIN", self._at(queue).keys.key("wake"), wait_s), wait_s) is not None

    async def reap(self, queue: QueueName, limit: int = 100) -> Reaped:
        """See `JobStore`."""
        async with bounded(self._timeout_s):
            groups = await self._at(queue).reap.call((max(1, min(limit, MAX_SLOTS)),))
        requeued, poisoned, promoted = (replies.job_ids(group) for group in groups)
        return Reaped(requeued=requeued, poisoned=poisoned, promoted=promoted)

    async def tail(self, queue: QueueName) -> str:
        """See `JobStore`."""
        [newest] = await self._plain.run(("XREVRANGE", self._at(queue).keys.key("events"), "+", "-", "COUNT", 1))
        return newest[0][0].decode() if newest else event_reader.START

    async def events(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[JobEvent | Gap]:
        """See `JobStore`."""
        number = event_reader.number(after)
        if number is not None:
            wait_s, key = max(timeout_s, 0.001), self._at(queue).keys.key("events")
            read = ("XREAD", "COUNT", _EVENTS_AT_ONCE, "BLOCK", int(wait_s * 1000), "STREAMS", key, after)
            streams = await self._block(read, wait_s)
            if streams:
                return event_reader.after_reading(queue, number, streams[0][1])
        return event_reader.after_silence(queue, number, await self.tail(queue))

    async def check(self) -> None:
        """See `JobStore`."""
        key, probe = probe_key(self._config.key_prefix), secrets.token_bytes(_NONCE_BYTES)
        _, found = await self._plain.run(("SET", key, probe, "PX", _PROBE_MS), ("GET", key))
        if found is None:
            raise StoreUnavailable("what was written was not there to be read")

    async def close(self) -> None:
        """See `JobStore`. What is under way may end, within the time of one command."""
        batchers = [batcher for queue in self._queues.values() for batcher in queue.batchers()] + [self._plain.batcher]
        try:
            async with asyncio.timeout(self._timeout_s):
                for batcher in batchers:
                    await batcher.close()
        except TimeoutError:
            for batcher in batchers:
                batcher.abort()
                await batcher.close()
        await self._lines.close()
        await self._blocking.close()

    def _open(self, queue: QueueName) -> QueueCommands:
        return QueueCommands(QueueKeys(self._config.key_prefix, queue), self._config, self._evaluator)

    def _at(self, queue: QueueName) -> QueueCommands:
        return self._queues[queue]

    def _of(self, job_id: JobId) -> QueueCommands:
        queue = self._queues.get(queue_of(job_id))
        if queue is None:
            raise UnknownJob(job_id)
        return queue

    async def _fenced(self, command: Commands, job_id: JobId, fence: Fence, *rest: str | bytes | int) -> bool:
        async with bounded(self._timeout_s):
            return bool(await command.call((job_id, fence_text(fence), *rest)))

    async def _queue_job(self, job: NewJob, stored: bytes) -> Sequence[Reply]:
        queue = self._of(job.job_id)
        inline = stored
        if len(stored) > INLINE_BYTES:
            inline = b""
            await self._plain.run(("SET", queue.keys.payload(job.job_id), stored, "PX", _UNOWNED_PAYLOAD_MS))
        item = (job.job_id, job.type, job.tenant, job.priority, len(stored), inline)
        return cast("Sequence[Reply]", await queue.submit.call(item))

    async def _with_payloads(self, keys: QueueKeys, nonce: str, jobs: Sequence[Reply]) -> list[Claim]:
        claims: list[Claim] = []
        for job in jobs:
            job_id, stored = JobId(job[0].decode()), job[-1]
            if stored is None:
                [stored] = await self._plain.run(("GET", keys.payload(job_id)))
            try:
                claims.append(replies.claim(job, nonce, await codec.unpack(stored or b"")))
            except Bug:
                # Whoever claims it next would be no wiser: it must not come back for ever.
                await self.finish(job_id, Fence(run=job[3], nonce=nonce), _UNREADABLE)
        return claims

    async def _block(self, command: Command, wait_s: float) -> Reply:
        # Past the time that the server was told to wait, its silence means that it is gone.
        async with bounded(wait_s + self._timeout_s):
            [reply] = await self._blocking.run([command])
            if isinstance(reply, ResponseError):
                raise reply
            return reply


def _stats(keys: QueueKeys) -> list[Command]:
    sizes: list[Command] = [("ZCARD", keys.key(name)) for name in replies.STATS_SETS]
    return [*sizes, ("HMGET", keys.key("counters"), *replies.STATS_COUNTERS)]


def _pending(job: NewJob, created_at_ms: int) -> JobState:
    return JobState(
        job_id=job.job_id,
        type=job.type,
        status=JobStatus.PENDING,
        priority=job.priority,
        progress=0,
        runs=0,
        created_at_ms=created_at_ms,
    )
