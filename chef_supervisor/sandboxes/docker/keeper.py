"""The keeper as a container: the only one that sees the store of dependencies writable. It lives for one request."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import attrs
import docker
from docker.types import LogConfig, Mount

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker import lifecycle
from chef_supervisor.sandboxes.docker.attach import AttachedLine
from chef_supervisor.sandboxes.docker.cleanup import clean_up
from chef_supervisor.sandboxes.docker.container import marks
from chef_supervisor.sandboxes.docker.engine import Engine
from chef_supervisor.sandboxes.docker.handover import Handover
from chef_supervisor.sandboxes.docker.names import Names
from chef_supervisor.sandboxes.docker.trouble import TROUBLE, unavailable
from chef_supervisor.sandboxes.docker.volume import ensure_store
from chef_supervisor.sandboxes.inside import KEEPER_AT
from chef_supervisor.sandboxes.leftover import LeftoverKind

Request = Mapping[str, Any]
_STORE_AT: Final = "/store"
_STAGING_AT: Final = "/staging"
_MEMORY_BYTES: Final = 256 << 20
_PIDS: Final = 16
_MOST_ANSWER_BYTES: Final = 64 << 20


@attrs.define(eq=False, kw_only=True)
class Keeper:
    """Runs the keeper of the runner image. `realm`: whose jobs this process runs; it may be told later."""

    engine: Engine
    config: DockerConfig
    names: Names
    realm: str = ""

    async def ask(self, make_request: Callable[[], Awaitable[Request]], staging: str | None = None) -> dict[str, Any]:
        """
        Ask one thing. `make_request` is called when the keeper is up and waits: what it looks at is as new as can be.

        Returns: the answer.

        Raises:
            SandboxUnavailable: the engine failed, or the keeper did.
        """
        async with self._started(staging) as line:
            answer, timeout_s = bytearray(), self.config.keep_timeout_s
            try:
                async with asyncio.timeout(timeout_s):
                    await line.write(json.dumps(await make_request()).encode() + b"\n")
                    while (chunk := await line.read()) and len(answer) < _MOST_ANSWER_BYTES:
                        answer += chunk
            except (TimeoutError, OSError) as error:
                raise SandboxUnavailable(f"the keeper of dependencies did not answer within {timeout_s:g} s") from error
            return self._read(bytes(answer), line.complaint)

    def _read(self, answer: bytes, complaint: str) -> dict[str, Any]:
        try:
            return dict(json.loads(answer))
        except ValueError as error:
            image, why = self.config.image, complaint[-300:] or "it said nothing"
            reason = f"the keeper of {image} did not answer ({why}); rebuild it: scripts/images runner"
            raise SandboxUnavailable(reason) from error

    @asynccontextmanager
    async def _started(self, staging: str | None) -> AsyncIterator[AttachedLine]:
        async with self._created(staging) as container:
            line = await self._attach(container)
            try:
                doing = "start the keeper of dependencies"
                await self.engine.call(lambda client: client.start(container), doing, self.config.start_timeout_s)
                yield line
            finally:
                line.close()

    @asynccontextmanager
    async def _created(self, staging: str | None) -> AsyncIterator[str]:
        name, handover = f"chef-keeper-{uuid.uuid4().hex}", Handover()
        create = partial(self._create, name=name, staging=staging, handover=handover)
        with self.names.use(LeftoverKind.CONTAINER, name):
            try:
                yield await self.engine.call(create, "create the keeper of dependencies")
            finally:
                if made := handover.give_up():
                    remove = partial(lifecycle.remove, container=made)
                    await clean_up(self.engine, remove, f"remove the box {name}", self.config.stop_timeout_s)

    def _create(self, client: docker.APIClient, *, name: str, staging: str | None, handover: Handover) -> str:
        """Returns: the id of the new container. Runs in a thread of the engine's pool."""
        ensure_store(client, self.config.volume)
        container = str(client.create_container(**self._parameters(client, name, staging))["Id"])
        handover.hand(container, partial(lifecycle.remove, client, container))
        return container

    def _parameters(self, client: docker.APIClient, name: str, staging: str | None) -> dict[str, Any]:
        return {
            "image": self.config.image,
            "name": name,
            "entrypoint": ["python3", "-I", KEEPER_AT],
            "command": [_STORE_AT, *([_STAGING_AT] if staging else [])],
            # The engine gives capabilities to root alone. Without those that root usually has, its one privilege here is
            # that what it makes belongs to nobody who runs a job.
            "user": "0:0",
            "working_dir": "/",
            "labels": marks(self.config, self.realm, "keeper"),
            "stdin_open": True,
            "tty": False,
            "stop_signal": "SIGKILL",
            "network_disabled": True,
            "use_config_proxy": False,
            "healthcheck": {"test": ["NONE"]},
            "host_config": self._host_config(client, staging),
        }

    def _host_config(self, client: docker.APIClient, staging: str | None) -> Mapping[str, Any]:
        return client.create_host_config(
            network_mode="none",
            cap_drop=["ALL"],
            # An install may leave files that are closed to all but itself.
            cap_add=["DAC_READ_SEARCH"],
            security_opt=["no-new-privileges:true"],
            read_only=True,
            mounts=_mounts(self.config.volume, staging),
            mem_limit=_MEMORY_BYTES,
            memswap_limit=_MEMORY_BYTES,
            pids_limit=_PIDS,
            ipc_mode="private",
            log_config=LogConfig(type=LogConfig.types.NONE),
            restart_policy={"Name": "no"},
            auto_remove=False,
            init=False,
            runtime=self.config.runtime,
        )

    async def _attach(self, container: str) -> AttachedLine:
        try:
            address, version = await self.engine.address()
            async with asyncio.timeout(self.config.call_timeout_s):
                return await AttachedLine.open(address, version, container)
        except TROUBLE as error:
            raise unavailable(error, "attach to the keeper of dependencies") from error


def _mounts(store: str, staging: str | None) -> list[Mount]:
    mounts = [Mount(target=_STORE_AT, source=store, type="volume", no_copy=True)]
    if staging is not None:
        mounts.append(Mount(target=_STAGING_AT, source=staging, type="volume", read_only=True, no_copy=True))
    return mounts
