"""Picks the sandbox of this process, once, at start."""

from __future__ import annotations

from typing import Final

import attrs

from chef_supervisor.domain.errors import Misconfigured, SandboxUnavailable
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox
from chef_supervisor.sandboxes.config import BubblewrapConfig, DockerConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.null import NullSandbox
from chef_supervisor.sandboxes.sandbox import Sandbox

_MAY_RUN_NOTHING: Final = ("test", "bench")


@attrs.frozen
class Chosen:
    """The sandbox, already probed; `reason` is a sentence for log and health."""

    sandbox: Sandbox
    reason: str


async def choose(kind: str, *, environment: str, docker: DockerConfig, bubblewrap: BubblewrapConfig) -> Chosen:
    """
    Returns: the sandbox of that kind; `auto` is Docker where engine and runner image are there, else bubblewrap.

    Raises:
        SandboxUnavailable: it cannot run here; the reason says what to do.
        Misconfigured: `null` outside NODE_ENV test and bench, or a kind that there is none of.
    """
    match kind:
        case "docker":
            return await _probed(DockerSandbox(docker), "Docker was asked for")
        case "bubblewrap":
            return await _probed(BubblewrapSandbox(bubblewrap), "bubblewrap was asked for")
        case "auto":
            return await _choose_best(docker, bubblewrap)
        case "null" if environment in _MAY_RUN_NOTHING:
            return Chosen(NullSandbox(), "null was asked for: jobs pass without being run")
        case "null":
            raise Misconfigured((f"sandbox.kind null runs no job at all; NODE_ENV {environment} does not allow that",))
        case _:
            raise Misconfigured((f"sandbox.kind {kind!r} is none of auto, docker, bubblewrap, null",))


async def _choose_best(docker: DockerConfig, bubblewrap: BubblewrapConfig) -> Chosen:
    try:
        return await _probed(DockerSandbox(docker), "the Docker Engine answers and has the runner image")
    except SandboxUnavailable as error:
        without_docker = error.reason
    try:
        return await _probed(BubblewrapSandbox(bubblewrap), f"bubblewrap, as Docker cannot be used: {without_docker}")
    except SandboxUnavailable as error:
        raise SandboxUnavailable(f"Docker: {without_docker}; bubblewrap: {error.reason}") from error


async def _probed(sandbox: Sandbox, reason: str) -> Chosen:
    try:
        await sandbox.probe()
    except SandboxUnavailable:
        await sandbox.close()
        raise
    return Chosen(sandbox, reason)
