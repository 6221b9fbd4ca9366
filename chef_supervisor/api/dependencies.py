"""What the API is given when the tree is wired; it reaches for nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import attrs

from chef_supervisor.api.feed import EventFeed
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.errors import Misconfigured, UnknownJob
from chef_supervisor.domain.job import JobId, QueueName, queue_of
from chef_supervisor.settings import Durability, Settings
from chef_supervisor.store.config import CONFIRM_S
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.webhooks.audience import Audience, audience_of


@attrs.frozen(kw_only=True)
class HealthReport:
    """
    What the rest of the process says of itself.

    `sandbox`: the name of the one in force, `none` where this process runs no jobs; `sandbox_reason`: why that one.
    `faults`: one sentence for each thing that keeps the process from working; `reasons`: for each that is not as it
    should be, though jobs are accepted.
    """

    sandbox: str
    sandbox_reason: str = ""
    faults: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def with_faults(report: HealthReport, faults: Iterable[str]) -> HealthReport:
    """Returns: the report with more faults."""
    more = tuple(faults)
    return attrs.evolve(report, faults=(*report.faults, *more)) if more else report


HealthSource: TypeAlias = Callable[[], HealthReport]


def _no_hint(_queue: QueueName) -> None:
    """Do nothing: a lost hint costs at most one poll interval."""


def _not_draining() -> bool:
    return False


def no_seal(_variables: Mapping[str, str]) -> bytes:
    """Seal nothing: a process that takes jobs in is given a key."""
    raise Misconfigured(("there is no key to seal the secrets of jobs with",))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@attrs.frozen(kw_only=True, eq=False)
class ApiDependencies:
    """
    `hint` tells the dispatcher of the same process that a queue has work; it must return at once.

    `draining` says whether the process is stopping. `random` gives that many bytes nobody can guess. `toolchains`: the
    names a job may pick from. `seal` makes its secrets unreadable to all but the workers. `audience`: who is told of
    jobs; by default what the settings say, which raises Misconfigured where they cannot be meant.
    """

    settings: Settings
    store: JobStore
    feed: EventFeed
    health: HealthSource
    # None where nothing is kept.
    artifacts: ArtifactStore | None = None
    hint: Callable[[QueueName], None] = _no_hint
    draining: Callable[[], bool] = _not_draining
    toolchains: tuple[str, ...] = ()
    seal: Callable[[Mapping[str, str]], bytes] = no_seal
    random: Callable[[int], bytes] = secrets.token_bytes
    now_ms: Callable[[], int] = _now_ms
    audience: Audience = attrs.field()
    queues: tuple[QueueName, ...] = attrs.field()

    @audience.default
    def _configured_audience(self) -> Audience:
        return audience_of(self.settings)

    @queues.default
    def _all_queues(self) -> tuple[QueueName, ...]:
        return tuple(self.settings.queues)

    @property
    def read_timeout_s(self) -> float:
        """How long all reads of one request may take together."""
        return self.settings.redis.request_timeout_s

    @property
    def write_timeout_s(self) -> float:
        """The same where something is changed: with what the disk may take, where that is waited for."""
        on_disk = self.settings.redis.durability is Durability.FSYNC
        return self.settings.redis.request_timeout_s + (CONFIRM_S if on_disk else 0.0)

    def known_id(self, text: str) -> JobId:
        """
        Returns: the text as a job's id; no store was asked.

        Raises:
            UnknownJob: no job can have it.
        """
        if queue_of(text) not in self.queues:
            raise UnknownJob(text)
        return JobId(text)
