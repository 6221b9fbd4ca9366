"""Picks the sandbox of this process, once, at start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from chef_supervisor.domain.errors import Misconfigured, SandboxUnavailable
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox
from chef_supervisor.sandboxes.config import BubblewrapConfig, DockerConfig
from chef_supervisor.sandboxes.null import NullSandbox
from chef_supervisor.sandboxes.sandbox import Sandbox

# An engine that hangs must not keep the process from starting on another sandbox, or from saying what is wrong.
_CHECK_S: Final = 10.0
_MAY_RUN_NOTHING: Final = ("test", "bench")


@attrs.frozen
class Chosen:
    """The sandbox, already checked; `reason` is a sentence for log and health."""

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
            return await _docker(docker, "Docker was asked for")
        case "bubblewrap":
            return await _bubblewrap(bubblewrap, "bubblewrap was asked for")
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
        return await _docker(docker, "the Docker Engine answers and has the runner image")
    except SandboxUnavailable as error:
        without_docker = error.reason
    try:
        return await _bubblewrap(bubblewrap, f"bubblewrap, as Docker cannot be used: {without_docker}")
    except SandboxUnavailable as error:
        raise SandboxUnavailable(f"Docker: {without_docker}; bubblewrap: {error.reason}") from error


async def _docker(config: DockerConfig, reason: str) -> Chosen:
    from chef_supervisor.sandboxes.docker import DockerSandbox  # noqa: PLC0415  (its client takes 8 MB)

    # Whether it can make boxes now is another matter: a full disk is trouble that passes, and no reason to do without.
    sandbox = DockerSandbox(config)
    return await _checked(sandbox, sandbox.ping, reason)


async def _bubblewrap(config: BubblewrapConfig, reason: str) -> Chosen:
    sandbox = BubblewrapSandbox(config)
    return await _checked(sandbox, sandbox.probe, reason)


async def _checked(sandbox: Sandbox, check: Callable[[], Awaitable[None]], reason: str) -> Chosen:
    well = False
    try:
        async with asyncio.timeout(_CHECK_S):
            await check()
        well = True
    except TimeoutError as error:
        raise SandboxUnavailable(f"{sandbox.name} did not answer within {_CHECK_S:g} s; look at its log") from error
    finally:
        if not well:
            await sandbox.close()
    return Chosen(sandbox, reason)
