"""What Redis holds of one queue at one moment, read behind the store's back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import redis

from chef_supervisor.domain.job import JobId, JobStatus, QueueName
from chef_supervisor.store.keys import QueueKeys

SETS: Final = ("pending", "delayed", "active", "completed", "failed", "corrupt")
TERMINAL: Final = tuple(status for status in JobStatus if status.terminal)
_FIELDS: Final = ("status", "bytes", "fence", "runs", "cause")
# One script: nothing changes while it reads. KEYS blocks the server, which a test's may be.
_READ: Final = """
local sets, jobs = {}, {}
for i = 2, 7 do
  sets[i - 1] = redis.call('ZRANGE', KEYS[1] .. ARGV[i], 0, -1)
end
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. 'job:*')) do
  local fields = redis.pcall('HMGET', key, unpack(ARGV, 8))
  if not fields.err then
    jobs[#jobs + 1] = { string.sub(key, #KEYS[1] + 5), fields }
  end
end
local counters = redis.call('HGETALL', KEYS[1] .. 'counters')
return { sets, jobs, counters, redis.call('XRANGE', KEYS[1] .. 'events', '-', '+') }
"""


@attrs.frozen(kw_only=True)
class JobHash:
    """The fields of a job that the invariants speak of. `fence` is empty where nobody holds it."""

    status: str
    bytes: int
    fence: str
    runs: int
    cause: str


@attrs.frozen
class Change:
    """An event: the job's status at that position of the stream, and when, by the server's clock. Progress is none."""

    position: int
    job_id: JobId
    status: str
    at_ms: int


@attrs.frozen(kw_only=True)
class QueueSnapshot:
    """`sets`: the job ids in each sorted set. `changes`: those that are not trimmed yet."""

    queue: QueueName
    sets: Mapping[str, tuple[JobId, ...]]
    jobs: Mapping[JobId, JobHash]
    counters: Mapping[str, int]
    changes: tuple[Change, ...]


def take_snapshot(client: redis.Redis, queue: QueueName, prefix: str = "chef") -> QueueSnapshot:
    """Returns: all of the queue, as it is in one moment."""
    base = QueueKeys(prefix, queue).key("")
    answer: Any = client.eval(_READ, 1, base, base, *SETS, *_FIELDS)
    sets, jobs, counters, events = answer
    return QueueSnapshot(
        queue=queue,
        sets={name: tuple(map(_job_id, members)) for name, members in zip(SETS, sets, strict=True)},
        jobs={JobId(job_id.decode()): _job(fields) for job_id, fields in jobs},
        counters={
            name.decode(): int(value)
            for name, value in zip(counters[::2], counters[1::2], strict=True)
            if value.lstrip(b"-").isdigit()
        },
        changes=tuple(changes_in(events)),
    )


def changes_in(entries: Any) -> list[Change]:
    """Returns: the changes of status among entries of a stream of events."""
    found: list[Change] = []
    for position, flat in entries:
        fields = dict(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) else flat
        if fields[b"kind"] != b"job.progress":
            number = int(position.partition(b"-")[0])
            found.append(Change(number, JobId(fields[b"job"].decode()), fields[b"status"].decode(), int(fields[b"at"])))
    return found


def _job_id(member: bytes) -> JobId:
    """Those in `pending` have the number of their submission before them."""
    return JobId(member.decode().rpartition(":")[2])


def _job(fields: list[bytes | None]) -> JobHash:
    status, size, fence, runs, cause = (value.decode() if value else "" for value in fields)
    return JobHash(status=status, bytes=int(size or 0), fence=fence, runs=int(runs or 0), cause=cause)
