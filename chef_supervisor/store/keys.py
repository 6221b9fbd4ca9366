"""The names of all keys. One hash tag a queue: all that a script touches lies in one slot of a cluster."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chef_supervisor.domain.job import SHARD, JobId, QueueName


@attrs.frozen
class QueueKeys:
    """The keys of one queue. A name that ends in a colon is the prefix of one key for each job (or claim)."""

    prefix: str
    queue: QueueName
    _base: str = attrs.field(init=False)

    @_base.default
    def _make_base(self) -> str:
        return f"{self.prefix}:{{{self.queue}.{SHARD}}}:"

    def key(self, name: str) -> str:
        """Returns: `chef:{builds.0}:pending` for `pending`."""
        return self._base + name

    def keys(self, names: Iterable[str]) -> tuple[str, ...]:
        """Returns: the same for many."""
        return tuple(self._base + name for name in names)

    def job(self, job_id: JobId) -> str:
        """The hash of the small fields."""
        return f"{self._base}job:{job_id}"

    def payload(self, job_id: JobId) -> str:
        """The payload."""
        return f"{self._base}payload:{job_id}"

    def result(self, job_id: JobId) -> str:
        """The result of a job that is over."""
        return f"{self._base}result:{job_id}"

    def log(self, job_id: JobId) -> str:
        """The stream of what the job's steps printed."""
        return f"{self._base}log:{job_id}"

    def delivery(self, job_id: str, receiver: str) -> str:
        """The latest event of the job that the receiver has not taken."""
        return f"{self._base}delivery:{job_id}:{receiver}"

    def outbox(self, receiver: str) -> str:
        """The jobs that the receiver is to be told of, each when that falls due."""
        return f"{self._base}outbox:{receiver}"

    def request(self, name: str) -> str:
        """What was answered to the request of that Idempotency-Key, as `lua/lib/idempotency.lua` writes it."""
        return f"{self._base}idem:{name}"

    def cached(self, key: str) -> str:
        """The id of the ended job that did the work of that key."""
        return f"{self._base}cached:{key}"


def realm_key(prefix: str) -> str:
    """The key of the random name that this store's data has."""
    return f"{prefix}:realm"


def probe_key(prefix: str) -> str:
    """The key that `check` writes and reads back."""
    return f"{prefix}:check"
