"""The settings: `config/default.toml` below the environment, as frozen classes, checked once at start."""

from chef_supervisor.settings.checks import MAX_TIMEOUT_MS
from chef_supervisor.settings.load import CONTRACT_NAMES, default_config, load
from chef_supervisor.settings.receivers import ConvexKind, ConvexSettings, WebhookSettings
from chef_supervisor.settings.schema import (
    ArtifactSettings,
    Durability,
    Environment,
    FileLimits,
    HttpSettings,
    InstallSettings,
    LogSettings,
    PreviewSettings,
    ProcessSettings,
    QueueSettings,
    QueueSpec,
    RedisSettings,
    RetentionSettings,
    Role,
    SandboxKind,
    SandboxSettings,
    Settings,
    WorkerSettings,
)

__all__ = [
    "CONTRACT_NAMES",
    "MAX_TIMEOUT_MS",
    "ArtifactSettings",
    "ConvexKind",
    "ConvexSettings",
    "Durability",
    "Environment",
    "FileLimits",
    "HttpSettings",
    "InstallSettings",
    "LogSettings",
    "PreviewSettings",
    "ProcessSettings",
    "QueueSettings",
    "QueueSpec",
    "RedisSettings",
    "RetentionSettings",
    "Role",
    "SandboxKind",
    "SandboxSettings",
    "Settings",
    "WebhookSettings",
    "WorkerSettings",
    "default_config",
    "load",
]
