"""What the store must be told. Every field has a unit in its name or is a count."""

from __future__ import annotations

import attrs

from chef_supervisor.domain.job import QueueName

DEFAULT_QUEUES = (QueueName("builds"), QueueName("tests"), QueueName("lint"))


@attrs.frozen(kw_only=True)
class StoreConfig:
    """Where Redis is, how long it may take, and the bounds of each queue. A unix socket wins over host and port."""

    host: str = "localhost"
    port: int = 6379
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    database: int = 0
    unix_socket: str | None = None
    key_prefix: str = "chef"
    command_timeout_s: float = 5.0
    queues: tuple[QueueName, ...] = DEFAULT_QUEUES

    # Jobs that are not over yet, and the bytes of their payloads as stored; each queue has its own bounds.
    max_jobs: int = 100_000
    max_bytes: int = 1 << 30
    lease_s: float = 10.0
    # Runs that infrastructure may ruin before a job ends as poisoned.
    max_ruined_runs: int = 3

    # Finished jobs: `completed` and `failed` up to `keep_jobs` each, payloads and results together up to `keep_bytes`.
    keep_jobs: int = 10_000
    keep_s: float = 86_400.0
    keep_bytes: int = 1 << 28
