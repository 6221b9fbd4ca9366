"""Makes the adapters from the settings: the store, the sandbox in force, and the workshop of all runners."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.artifacts.connect import connect
from chef_supervisor.artifacts.keeping import Keeping
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.dependencies.cache import DependencyCache
from chef_supervisor.domain.errors import Misconfigured, SandboxUnavailable
from chef_supervisor.domain.files import RESERVED
from chef_supervisor.engine.install import DEPS
from chef_supervisor.engine.plan import Budget
from chef_supervisor.engine.toolchains import load_toolchains, toolchain_names
from chef_supervisor.installing import Installer
from chef_supervisor.instance import Instance
from chef_supervisor.recall import Recall, RemembersResults
from chef_supervisor.sandboxes.choose import Chosen, choose
from chef_supervisor.sandboxes.config import BubblewrapConfig, DockerConfig
from chef_supervisor.sandboxes.sandbox import Limits
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.sealing import Sealer, sealing_key
from chef_supervisor.settings import (
    MAX_TIMEOUT_MS,
    Durability,
    InstallSettings,
    Settings,
    WorkerSettings,
    default_config,
)
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.webhooks.audience import addresses_of
from chef_supervisor.webhooks.configured import configured_receivers
from chef_supervisor.webhooks.receivers import Receivers
from chef_supervisor.workshop import Workshop

# Installs run at the root of the dependencies.
_CA_FILE: Final = f"{RESERVED}/ca-certificates.pem"
# By these node, pip, uv, git, curl and whatever uses OpenSSL are told of certificates.
_CA_VARIABLES: Final = (
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
    "CURL_CA_BUNDLE",
)


async def choose_sandbox(settings: Settings, instance: Instance) -> Chosen:
    """
    Returns: the sandbox in force, and why. What is ours in an engine carries the instance's mark.

    Raises:
        Misconfigured: no sandbox of the kind that is asked for can run here; the text says what to do.
    """
    try:
        return await choose(
            settings.sandbox.kind,
            environment=settings.process.environment,
            docker=DockerConfig(
                image=settings.sandbox.image,
                instance=instance.mark,
                volume=settings.dependencies.volume,
                # Two calls a box at a time (one that ends beside one that starts), and some for all else.
                max_threads=2 * settings.worker.max_concurrent + settings.sandbox.warm + 8,
            ),
            bubblewrap=BubblewrapConfig(
                data_dir=instance.folder / "boxes",
                siblings=instance.siblings,
                store=Path(settings.process.state_dir) / "dependencies",
            ),
        )
    except SandboxUnavailable as error:
        raise Misconfigured((f"CHEF_SANDBOX={settings.sandbox.kind.value!r}: {error.reason}",)) from error


def store_config(settings: Settings, instance: Instance | None = None) -> StoreConfig:
    """Returns: what the store must know, from three sections of the settings. `instance`: who claims, if anybody does."""
    redis, queue, retention = settings.redis, settings.queue, settings.retention
    return StoreConfig(
        host=redis.host,
        port=redis.port,
        username=redis.username or None,
        password=redis.password or None,
        database=redis.database,
        unix_socket=redis.unix_socket or None,
        key_prefix=redis.key_prefix,
        command_timeout_s=redis.command_timeout_s,
        confirm_on_disk=redis.durability is Durability.FSYNC,
        allow_volatile=redis.allow_volatile,
        queues=tuple(settings.queues),
        instance=instance.id if instance else "",
        max_jobs=queue.max_jobs,
        max_bytes=queue.max_bytes,
        lease_s=queue.lease_s,
        max_ruined_runs=queue.max_ruined_runs,
        keep_jobs=retention.max_jobs,
        keep_s=retention.max_age_s,
        keep_bytes=retention.max_bytes,
        log_bytes=settings.worker.log_bytes,
        addresses=addresses_of(settings),
    )


def api_store_config(settings: Settings) -> StoreConfig:
    """Returns: the same for the store that requests wait for: it gives up sooner, and never queues behind workers."""
    return attrs.evolve(store_config(settings), command_timeout_s=settings.redis.request_timeout_s)


def make_artifacts(settings: Settings, identity: Callable[[], Awaitable[str]]) -> ArtifactStore:
    """
    Returns: where artifacts are kept; `identity` asks the job store for the name of its data.

    Raises:
        Misconfigured: there is no such place.
    """
    return ArtifactStore(
        objects=connect(settings.artifacts.url, Path(settings.process.state_dir) / "artifacts"),
        identity=identity,
        max_bytes=settings.artifacts.max_bytes,
        max_files=settings.artifacts.max_files,
    )


def make_workshop(
    settings: Settings,
    sandbox: WatchedSandbox,
    artifacts: ArtifactStore | None = None,
    results: RemembersResults | None = None,
) -> Workshop:
    """
    Returns: what every runner of this process works with.

    Raises:
        Misconfigured: a toolchain has faults, or the file of certificates or the key of secrets cannot be used.
    """
    return Workshop(
        sandbox=sandbox,
        toolchains=load_toolchains(default_config() / "toolchains"),
        budget=_budget(settings),
        job_limits=_limits(settings, settings.worker),
        file_limits=settings.files,
        installer=_installer(settings, sandbox),
        artifacts=Keeping(artifacts),
        recall=Recall(store=results, keep_s=settings.result_cache.keep_s, artifacts=Keeping(artifacts)),
    )


def make_sealer(settings: Settings) -> Sealer:
    """
    Returns: what seals and opens the secrets of jobs; the API and the workers need the same key.

    Raises:
        Misconfigured: the key is none, or the state folder cannot be used.
    """
    return Sealer(sealing_key(settings.secrets.key, Path(settings.process.state_dir)))


def make_receivers(settings: Settings) -> Receivers:
    """
    Returns: who is told of jobs, as far as the settings say it; whoever takes them closes them.

    Raises:
        Misconfigured: as configured_receivers.
    """
    return configured_receivers(settings)


def _installer(settings: Settings, sandbox: WatchedSandbox) -> Installer:
    certificates, dependencies = _certificates(settings.sandbox.extra_ca_certs), settings.dependencies
    cache = DependencyCache(
        sandbox.shelf,
        max_bytes=dependencies.max_bytes,
        max_entry_bytes=dependencies.max_entry_bytes,
        unlocked_s=dependencies.unlocked_s,
    )
    return Installer(
        sandbox=sandbox,
        cache=cache,
        sealer=make_sealer(settings),
        limits=_limits(settings, settings.install),
        most_bytes=dependencies.max_entry_bytes,
        trust_files={_CA_FILE: certificates} if certificates else {},
        trust_env=dict.fromkeys(_CA_VARIABLES, f"{DEPS}/{_CA_FILE}") if certificates else {},
    )


def known_toolchains() -> tuple[str, ...]:
    """
    Returns: the names that a job may pick from.

    Raises:
        Misconfigured: a toolchain has faults.
    """
    return toolchain_names(load_toolchains(default_config() / "toolchains"))


def _budget(settings: Settings) -> Budget:
    return Budget(
        steps_timeout_s=settings.worker.timeout_ms / 1000,
        install_timeout_s=settings.install.timeout_ms / 1000,
        output_bytes=settings.worker.output_bytes,
        most_output_bytes=settings.worker.max_output_bytes,
        ceiling_s=MAX_TIMEOUT_MS / 1000,
    )


def _limits(settings: Settings, box: WorkerSettings | InstallSettings) -> Limits:
    return Limits(
        memory_bytes=box.memory_limit,
        cpus=box.cpu_limit,
        pids=settings.worker.pids_limit,
        # Its bytes are memory: half of the limit leaves the other half to the tools.
        workspace_bytes=box.memory_limit // 2,
    )


def _certificates(path: str) -> bytes:
    """Returns: the machine's own certificates and the extra ones, for most tools take one file and no other."""
    if not path:
        return b""
    try:
        extra = Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured((f"CHEF_EXTRA_CA_CERTS={path!r}: cannot be read: {error.strerror}",)) from error
    own_bytes = _own_certificates()
    return extra if own_bytes in extra else own_bytes + b"\n" + extra


def _own_certificates() -> bytes:
    # Where Python knows only a folder of certificates, Debian's bundle is the usual file.
    candidates = (ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem")
    found = next((Path(path) for path in candidates if path and Path(path).is_file()), None)
    return found.read_bytes() if found is not None else b""
