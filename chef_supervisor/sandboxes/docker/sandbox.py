"""The sandbox on a Docker Engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.work import BoxEvent, EndedBy, Work
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.conversation import Conversation
from chef_supervisor.sandboxes.docker import lifecycle
from chef_supervisor.sandboxes.docker.attach import AttachedLine
from chef_supervisor.sandboxes.docker.engine import Engine
from chef_supervisor.sandboxes.docker.handover import Handover
from chef_supervisor.sandboxes.docker.trouble import TROUBLE, unavailable
from chef_supervisor.sandboxes.docker.volume import DependencyVolume, make_volume, remove_volume, volume_name
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies

_log: Final = logging.getLogger(__name__)


class DockerBox:
    """One started container."""

    def __init__(self, engine: Engine, config: DockerConfig, container: str, line: AttachedLine) -> None:
        self._engine = engine
        self._config = config
        self.container = container
        self.conversation = Conversation(line, self._why, config.end_grace_s)

    def run(self, work: Work) -> AsyncIterator[BoxEvent]:
        """Give it its work, once."""
        return self.conversation.run(work, {})

    async def _why(self) -> EndedBy:
        timeout_s = self._config.stop_timeout_s
        ask = partial(lifecycle.why_ended, container=self.container, timeout_s=timeout_s)
        return await self._engine.ask(ask, "learn how a box ended", timeout_s)


class DockerSandbox:
    """Boxes as containers. No folder of the machine is ever mounted; dependencies are volumes."""

    name = "docker"

    def __init__(self, config: DockerConfig) -> None:
        self._config = config
        self._engine = Engine(config)

    async def probe(self) -> None:
        """
        Check that the engine answers and has the runner image; nothing is pulled.

        Raises:
            SandboxUnavailable: it does not; the reason says what to do.
        """
        await self._engine.ask(lambda client: client.ping(), "reach the Docker Engine")
        image = self._config.image
        await self._engine.ask(partial(lifecycle.require_image, image=image), f"use the runner image {image}")

    @asynccontextmanager
    async def dependencies(self, name: str) -> AsyncIterator[Dependencies]:
        """Returns: an empty volume; removed when the context is left."""
        volume, handover = volume_name(name), Handover()
        make = partial(make_volume, config=self._config, name=volume, handover=handover)
        try:
            await self._engine.call(make, f"make the volume {volume}")
            yield DependencyVolume(volume)
        finally:
            if made := handover.give_up():
                await self._clean_up(partial(remove_volume, name=made), f"remove the volume {made}")

    @asynccontextmanager
    async def box(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[DockerBox]:
        """
        Start a container; leaving the context kills and removes it.

        Raises:
            SandboxUnavailable: it did not start; the reason says what to do.
        """
        handover = Handover()
        line: AttachedLine | None = None
        try:
            container = await self._create(order, dependencies, handover)
            line = await self._attach(container)
            box = DockerBox(self._engine, self._config, container, line)
            await self._start(box, line)
            yield box
        finally:
            if line is not None:
                line.close()
            if made := handover.give_up():
                await self._clean_up(partial(lifecycle.remove, container=made), f"remove the box {order.name}")

    async def close(self) -> None:
        """Let go of the engine's connections and threads."""
        self._engine.close()

    async def _create(self, order: BoxOrder, dependencies: Dependencies | None, handover: Handover) -> str:
        assert dependencies is None or isinstance(dependencies, DependencyVolume)  # noqa: S101  (a bug)
        volume = dependencies.name if dependencies else None
        create = partial(lifecycle.create, config=self._config, order=order, volume=volume, handover=handover)
        return await self._engine.call(create, f"create the box {order.name}")

    async def _attach(self, container: str) -> AttachedLine:
        try:
            address, version = await self._engine.address()
            async with asyncio.timeout(self._config.call_timeout_s):
                return await AttachedLine.open(address, version, container)
        except TROUBLE as error:
            raise unavailable(error, "attach to a box") from error

    async def _start(self, box: DockerBox, line: AttachedLine) -> None:
        """Start it, and wait for its hello."""
        await self._engine.call(lambda client: client.start(box.container), "start a box", self._config.start_timeout_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._config.start_timeout_s):
                if await box.conversation.hello():
                    return
        image, complaint = self._config.image, line.complaint or "it said nothing"
        raise SandboxUnavailable(f"the agent of {image} did not say hello ({complaint}); rebuild it: scripts/images")

    async def _clean_up(self, work: partial[None], doing: str) -> None:
        try:
            await self._engine.call(work, doing, self._config.stop_timeout_s)
        except SandboxUnavailable as error:
            # Given up, not taken back: the engine may still do it. Else the box ends by itself, as its input has ended, and
            # the stopped container, or the volume, stays until somebody removes it; its labels say whose it is.
            _log.warning("%s", error, extra={"event": "box.left_behind"})
