"""The settings as frozen classes, one a section of `config/default.toml`, where each default and its unit stands."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, NewType

import attrs

from chef_supervisor.domain.job import JobType, QueueName
from chef_supervisor.settings import checks
from chef_supervisor.settings.receivers import ConvexSettings, WebhookSettings

Size = NewType("Size", int)
_MIN_RENEWALS_PER_LEASE: Final = 3


class Role(enum.StrEnum):
    """Which half of the service this process is."""

    ALL = "all"
    API = "api"
    WORKER = "worker"


class Environment(enum.StrEnum):
    """What NODE_ENV may say."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"
    BENCH = "bench"


class Durability(enum.StrEnum):
    """When a job counts as accepted: as soon as Redis has it, or once Redis confirmed that it is on disk."""

    EVERYSEC = "everysec"
    FSYNC = "fsync"


class SandboxKind(enum.StrEnum):
    """Which sandbox runs the jobs."""

    AUTO = "auto"
    DOCKER = "docker"
    BUBBLEWRAP = "bubblewrap"
    NULL = "null"


class LogLevel(enum.StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(enum.StrEnum):
    """How a record is written."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


@attrs.frozen(kw_only=True)
class ProcessSettings:
    role: Role
    environment: Environment
    state_dir: str
    instance: str = attrs.field(validator=checks.instance_name)


@attrs.frozen(kw_only=True)
class HttpSettings:
    host: str
    port: int = attrs.field(validator=checks.port)
    cors_origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    max_body_bytes: int = attrs.field(validator=checks.positive)
    header_timeout_s: float = attrs.field(validator=checks.positive)
    body_timeout_s: float = attrs.field(validator=checks.positive)
    max_wait_s: float = attrs.field(validator=checks.positive)
    max_event_readers: int = attrs.field(validator=checks.positive)


@attrs.frozen(kw_only=True)
class FileLimits:
    max_files: int = attrs.field(validator=checks.positive)
    max_file_bytes: int = attrs.field(validator=checks.positive)
    max_total_bytes: int = attrs.field(validator=checks.positive)


@attrs.frozen(kw_only=True)
class RedisSettings:
    host: str
    port: int = attrs.field(validator=checks.port)
    username: str
    password: str = attrs.field(repr=False)
    database: int = attrs.field(validator=checks.not_negative)
    unix_socket: str
    key_prefix: str = attrs.field(validator=checks.key_prefix)
    command_timeout_s: float = attrs.field(validator=checks.positive)
    request_timeout_s: float = attrs.field(validator=checks.positive)
    durability: Durability
    allow_volatile: bool


@attrs.frozen(kw_only=True)
class QueueSettings:
    max_jobs: int = attrs.field(validator=checks.positive)
    max_bytes: int = attrs.field(validator=checks.positive)
    lease_s: float = attrs.field(validator=checks.positive)
    renew_s: float = attrs.field(validator=checks.positive)
    max_ruined_runs: int = attrs.field(validator=checks.positive)
    poll_s: float = attrs.field(validator=checks.positive)
    reap_s: float = attrs.field(validator=checks.positive)

    @reap_s.validator
    def _reaps_often_enough(self, _attribute: object, reap_s: float) -> None:
        # Passes that are further apart than half a lease are taken for an outage, after which nothing is reaped.
        if reap_s * _MIN_RENEWALS_PER_LEASE > self.lease_s:
            msg = f"must be at most a third of queue.lease_s ({self.lease_s:g})"
            raise ValueError(msg)

    @renew_s.validator
    def _renews_often_enough(self, _attribute: object, renew_s: float) -> None:
        # Two renewals may be lost before the lease is.
        if renew_s * _MIN_RENEWALS_PER_LEASE > self.lease_s:
            msg = f"must be at most a third of queue.lease_s ({self.lease_s:g})"
            raise ValueError(msg)


@attrs.frozen(kw_only=True)
class QueueSpec:
    """One queue: the job types it takes, and the slots it may fill (0 = all of the process)."""

    types: tuple[JobType, ...]
    slots: int = attrs.field(validator=checks.not_negative)


@attrs.frozen(kw_only=True)
class RetentionSettings:
    max_jobs: int = attrs.field(validator=checks.positive)
    max_age_s: int = attrs.field(validator=checks.positive)
    max_bytes: int = attrs.field(validator=checks.positive)


@attrs.frozen(kw_only=True)
class ArtifactSettings:
    """`url` empty: a folder below the state folder. Bounds are of one box."""

    url: str
    max_bytes: int = attrs.field(validator=checks.positive)
    max_files: int = attrs.field(validator=checks.positive)
    sweep_s: float = attrs.field(validator=checks.positive)


@attrs.frozen(kw_only=True)
class PreviewSettings:
    """Built sites are looked at below `suffix`; empty: not at all. `own_storage`: each may keep things in a browser."""

    suffix: str = attrs.field(validator=checks.host_suffix)
    own_storage: bool


@attrs.frozen(kw_only=True)
class ResultCacheSettings:
    keep_s: int = attrs.field(validator=checks.positive)


@attrs.frozen(kw_only=True)
class WorkerSettings:
    max_concurrent: int = attrs.field(validator=checks.positive)
    memory_limit: Size = attrs.field(validator=checks.enough_memory)
    cpu_limit: float = attrs.field(validator=checks.positive)
    pids_limit: int = attrs.field(validator=checks.positive)
    timeout_ms: int = attrs.field(validator=checks.within_ceiling)
    grace_s: float = attrs.field(validator=checks.positive)
    output_bytes: int = attrs.field(validator=checks.between(1, 1 << 20))
    max_output_bytes: int = attrs.field(validator=checks.positive)
    log_bytes: int = attrs.field(validator=checks.between(1, 64 << 20))


@attrs.frozen(kw_only=True)
class InstallSettings:
    memory_limit: Size = attrs.field(validator=checks.enough_memory)
    cpu_limit: float = attrs.field(validator=checks.positive)
    timeout_ms: int = attrs.field(validator=checks.positive)


@attrs.frozen(kw_only=True)
class DependencySettings:
    volume: str = attrs.field(validator=checks.volume_name)
    max_bytes: int = attrs.field(validator=checks.positive)
    max_entry_bytes: int = attrs.field(validator=checks.positive)
    unlocked_s: int = attrs.field(validator=checks.positive)


@attrs.frozen(kw_only=True)
class SecretSettings:
    key: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class SandboxSettings:
    kind: SandboxKind
    image: str
    warm: int = attrs.field(validator=checks.between(0, 16))
    ping_s: float = attrs.field(validator=checks.positive)
    sweep_s: float = attrs.field(validator=checks.positive)
    extra_ca_certs: str


@attrs.frozen(kw_only=True)
class LogSettings:
    level: LogLevel
    format: LogFormat


@attrs.frozen(kw_only=True)
class Settings:
    process: ProcessSettings
    http: HttpSettings
    files: FileLimits
    redis: RedisSettings
    queue: QueueSettings
    queues: Mapping[QueueName, QueueSpec]
    retention: RetentionSettings
    artifacts: ArtifactSettings
    preview: PreviewSettings
    result_cache: ResultCacheSettings
    worker: WorkerSettings
    install: InstallSettings
    dependencies: DependencySettings
    secrets: SecretSettings
    convex: ConvexSettings
    webhooks: WebhookSettings
    sandbox: SandboxSettings
    log: LogSettings

    def queue_for(self, job_type: JobType) -> QueueName:
        """Returns: the queue that takes that type; every type has exactly one, checked at start."""
        return next(name for name, spec in self.queues.items() if job_type in spec.types)
