"""The settings as frozen classes, one a section of `config/default.toml`, where each default and its unit stands."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any, Final, NewType

import attrs

from chef_supervisor.domain.job import JobType, QueueName

Size = NewType("Size", int)
_MAX_PORT: Final = 65_535
_LEAST_MEMORY_BYTES: Final = 64 << 20
_MOST_MEMORY_BYTES: Final = 1 << 40
_MIN_RENEWALS_PER_LEASE: Final = 3
# A job that needs more is a job for something else; the lease of a slot must end some time.
MAX_TIMEOUT_MS: Final = 1_800_000


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


def _positive(_instance: object, _attribute: object, value: Any) -> None:
    if value <= 0:
        msg = "must be more than 0"
        raise ValueError(msg)


def _not_negative(_instance: object, _attribute: object, value: Any) -> None:
    if value < 0:
        msg = "must be 0 or more"
        raise ValueError(msg)


def _enough_memory(_instance: object, _attribute: object, value: Any) -> None:
    # Less holds no Node, let alone its workspace; most often a unit was forgotten.
    if not _LEAST_MEMORY_BYTES <= value <= _MOST_MEMORY_BYTES:
        msg = "must be 64m to 1024g"
        raise ValueError(msg)


def _key_prefix(_instance: object, _attribute: object, value: str) -> None:
    # A brace would move the hash tag that keeps a queue in one slot of a cluster.
    if not re.fullmatch(r"[A-Za-z0-9_:-]{1,64}", value):
        msg = "must be 1 to 64 letters, digits, _, : or -"
        raise ValueError(msg)


def _instance_name(_instance: object, _attribute: object, value: str) -> None:
    # It is the name of a folder.
    if value and (value in {".", ".."} or not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value)):
        msg = "must be 1 to 64 letters, digits, _, . or -"
        raise ValueError(msg)


def _port(_instance: object, _attribute: object, value: int) -> None:
    if not 0 <= value <= _MAX_PORT:
        msg = f"must be 0 to {_MAX_PORT}"
        raise ValueError(msg)


def _within_ceiling(_instance: object, _attribute: object, value: int) -> None:
    if not 0 < value <= MAX_TIMEOUT_MS:
        msg = f"must be 1 to {MAX_TIMEOUT_MS} (30 minutes)"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class ProcessSettings:
    role: Role
    environment: Environment
    state_dir: str
    instance: str = attrs.field(validator=_instance_name)


@attrs.frozen(kw_only=True)
class HttpSettings:
    host: str
    port: int = attrs.field(validator=_port)
    cors_origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    max_body_bytes: int = attrs.field(validator=_positive)
    header_timeout_s: float = attrs.field(validator=_positive)
    body_timeout_s: float = attrs.field(validator=_positive)
    max_wait_s: float = attrs.field(validator=_positive)
    max_event_readers: int = attrs.field(validator=_positive)


@attrs.frozen(kw_only=True)
class FileLimits:
    max_files: int = attrs.field(validator=_positive)
    max_file_bytes: int = attrs.field(validator=_positive)
    max_total_bytes: int = attrs.field(validator=_positive)


@attrs.frozen(kw_only=True)
class RedisSettings:
    host: str
    port: int = attrs.field(validator=_port)
    username: str
    password: str = attrs.field(repr=False)
    database: int = attrs.field(validator=_not_negative)
    unix_socket: str
    key_prefix: str = attrs.field(validator=_key_prefix)
    command_timeout_s: float = attrs.field(validator=_positive)
    request_timeout_s: float = attrs.field(validator=_positive)
    durability: Durability
    allow_volatile: bool


@attrs.frozen(kw_only=True)
class QueueSettings:
    max_jobs: int = attrs.field(validator=_positive)
    max_bytes: int = attrs.field(validator=_positive)
    lease_s: float = attrs.field(validator=_positive)
    renew_s: float = attrs.field(validator=_positive)
    max_ruined_runs: int = attrs.field(validator=_positive)
    poll_s: float = attrs.field(validator=_positive)
    reap_s: float = attrs.field(validator=_positive)

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
    slots: int = attrs.field(validator=_not_negative)


@attrs.frozen(kw_only=True)
class RetentionSettings:
    max_jobs: int = attrs.field(validator=_positive)
    max_age_s: int = attrs.field(validator=_positive)
    max_bytes: int = attrs.field(validator=_positive)


@attrs.frozen(kw_only=True)
class WorkerSettings:
    max_concurrent: int = attrs.field(validator=_positive)
    memory_limit: Size = attrs.field(validator=_enough_memory)
    cpu_limit: float = attrs.field(validator=_positive)
    pids_limit: int = attrs.field(validator=_positive)
    timeout_ms: int = attrs.field(validator=_within_ceiling)
    grace_s: float = attrs.field(validator=_positive)
    output_bytes: int = attrs.field(validator=_positive)


@attrs.frozen(kw_only=True)
class InstallSettings:
    memory_limit: Size = attrs.field(validator=_enough_memory)
    cpu_limit: float = attrs.field(validator=_positive)
    timeout_ms: int = attrs.field(validator=_positive)


@attrs.frozen(kw_only=True)
class SandboxSettings:
    kind: SandboxKind
    image: str
    ping_s: float = attrs.field(validator=_positive)
    sweep_s: float = attrs.field(validator=_positive)
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
    worker: WorkerSettings
    install: InstallSettings
    sandbox: SandboxSettings
    log: LogSettings

    def queue_for(self, job_type: JobType) -> QueueName:
        """Returns: the queue that takes that type; every type has exactly one, checked at start."""
        return next(name for name, spec in self.queues.items() if job_type in spec.types)
