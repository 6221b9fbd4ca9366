"""What the store must be told. Every field has a unit in its name or is a count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from chef_supervisor.domain.job import QueueName
from chef_supervisor.domain.subscriber import ReceiverName

# A disk that is synced every second answers within one and a bit; one that takes longer is in trouble.
CONFIRM_S: Final = 2.0
# How long a delivery is its taker's: longer than its try and the telling of what became of it may take.
DELIVERY_LEASE_S: Final = 30.0
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
    # Commands that accept or end jobs are answered once Redis confirmed that they are on disk.
    confirm_on_disk: bool = False
    # A Redis without an append-only file will do.
    allow_volatile: bool = False
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

    # Of the log of one job: the first half of it and the last half.
    log_bytes: int = 1 << 20

    # Who claims: it is written to the jobs it holds. Empty = nobody who could take them back.
    instance: str = ""
    delivery_lease_s: float = DELIVERY_LEASE_S
    # What was not taken for so long is not tried any more: much longer than all tries take (18 h), for a service that
    # was off over the weekend.
    delivery_give_up_s: float = 259_200.0
    # Receivers of the configuration, and what stands for the address of each, in one word: one that answered 410 is told
    # again where it has another address.
    addresses: Mapping[ReceiverName, str] = attrs.field(factory=dict)
    # How long an Idempotency-Key is remembered.
    idempotency_s: float = 86_400.0

    @property
    def confirm_s(self) -> float:
        """Returns: how much longer commands that accept or end jobs may take than others."""
        return CONFIRM_S if self.confirm_on_disk else 0.0
