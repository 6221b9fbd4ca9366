"""What a box is as a container: the parameters it is created with, and the proof that the engine took them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import docker
from docker.types import LogConfig, Ulimit

from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.mounts import StagingVolume, StoredVolume, mounts
from chef_supervisor.sandboxes.inside import (
    BOX_UID,
    ENVIRONMENT,
    SMALL_TMPFS_BYTES,
    WORKSPACE,
    most_file_bytes,
)
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role

SUPERVISOR_LABEL: Final = "chef.supervisor"
REALM_LABEL: Final = "chef.realm"
ROLE_LABEL: Final = "chef.role"
JOB_LABEL: Final = "chef.job"
RUN_LABEL: Final = "chef.run"
# The key of the entry that a box uses: while it lives, no supervisor removes that.
DEPENDENCIES_LABEL: Final = "chef.dependencies"
Seen: TypeAlias = StagingVolume | StoredVolume | None
_USER: Final = f"{BOX_UID}:{BOX_UID}"
# The kernel takes a box before the supervisor.
_OOM_SCORE: Final = 500


def parameters(
    client: docker.APIClient, config: DockerConfig, realm: str, order: BoxOrder, seen: Seen
) -> dict[str, Any]:
    """Returns: the arguments of `create_container`."""
    return {
        "image": config.image,
        "name": order.name,
        "hostname": "box",
        "user": _USER,
        "working_dir": WORKSPACE,
        "environment": dict(ENVIRONMENT),
        "labels": labels(config, realm, order, seen),
        "stdin_open": True,
        "tty": False,
        "stop_signal": "SIGKILL",
        "network_disabled": order.role is not Role.INSTALL,
        # Else ~/.docker/config.json would put its proxies, and their passwords, into the box.
        "use_config_proxy": False,
        "healthcheck": {"test": ["NONE"]},
        "host_config": _host_config(client, config, order, seen),
    }


def labels(config: DockerConfig, realm: str, order: BoxOrder, seen: Seen = None) -> dict[str, str]:
    """Returns: the order's labels and ours, which win."""
    uses = {DEPENDENCIES_LABEL: seen.key} if isinstance(seen, StoredVolume) and seen.key else {}
    return {**order.labels, **marks(config, realm, order.role.value), **uses, "chef.image": config.image}


def marks(config: DockerConfig, realm: str, role: str) -> dict[str, str]:
    """Returns: the labels of all that is ours."""
    return {SUPERVISOR_LABEL: config.instance, REALM_LABEL: realm, ROLE_LABEL: role}


def _host_config(client: docker.APIClient, config: DockerConfig, order: BoxOrder, seen: Seen) -> Mapping[str, Any]:
    limits = order.limits
    return client.create_host_config(
        network_mode="bridge" if order.role is Role.INSTALL else "none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        read_only=True,
        tmpfs=_tmpfs(limits),
        mounts=mounts(order.role, seen),
        shm_size=SMALL_TMPFS_BYTES,
        mem_limit=limits.memory_bytes,
        memswap_limit=limits.memory_bytes,
        nano_cpus=int(limits.cpus * 1e9),
        pids_limit=limits.pids,
        ulimits=_ulimits(limits),
        oom_score_adj=_OOM_SCORE,
        ipc_mode="private",
        log_config=LogConfig(type=LogConfig.types.NONE),
        restart_policy={"Name": "no"},
        auto_remove=False,
        init=False,
        runtime=config.runtime,
    )


def _tmpfs(limits: Limits) -> dict[str, str]:
    owner = f"uid={BOX_UID},gid={BOX_UID}"
    return {
        WORKSPACE: f"rw,exec,nosuid,nodev,size={limits.workspace_bytes},nr_inodes=200k,{owner},mode=0700",
        "/tmp": f"rw,noexec,nosuid,nodev,size={SMALL_TMPFS_BYTES},nr_inodes=20k,mode=1777",  # noqa: S108  (the box's)
    }


def _ulimits(limits: Limits) -> list[Ulimit]:
    # No nproc: the kernel counts it per user id of the machine; the pids limit is the box's own.
    bounds = {"nofile": limits.open_files, "core": 0, "fsize": most_file_bytes(limits.workspace_bytes), "memlock": 0}
    return [Ulimit(name=name, soft=most, hard=most) for name, most in bounds.items()]


def faults(inspected: Mapping[str, Any], order: BoxOrder, seen: Seen) -> list[str]:
    """Returns: what the engine did not take as it was asked; an engine without a cgroup drops limits with a warning."""
    host, config = inspected["HostConfig"], inspected["Config"]
    wanted = {
        "NetworkMode": "bridge" if order.role is Role.INSTALL else "none",
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges:true"],
        "Binds": None,
        "Devices": [],
        "PidMode": "",
        "IpcMode": "private",
        "Memory": order.limits.memory_bytes,
        "MemorySwap": order.limits.memory_bytes,
        "NanoCpus": int(order.limits.cpus * 1e9),
        "PidsLimit": order.limits.pids,
    }
    # The engine writes nothing in several ways.
    found = [name for name, value in wanted.items() if (host.get(name) or None) != (value or None)]
    if config.get("User") != _USER:
        found.append("User")
    mounted = [
        (mount.get("Name"), not mount.get("RW"))
        for mount in inspected.get("Mounts") or []
        if mount.get("Type") != "tmpfs"
    ]
    if mounted != [(mount["Source"], mount["ReadOnly"]) for mount in mounts(order.role, seen)]:
        found.append("Mounts")
    return found
