"""The sandbox on a Docker Engine."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Final

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.job import RunId
from chef_supervisor.domain.work import BoxEvent, EndedBy, Work
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.conversation import Conversation
from chef_supervisor.sandboxes.docker import lifecycle
from chef_supervisor.sandboxes.docker.attach import AttachedLine
from chef_supervisor.sandboxes.docker.box_names import taken_name
from chef_supervisor.sandboxes.docker.cleanup import clean_up
from chef_supervisor.sandboxes.docker.container import Seen
from chef_supervisor.sandboxes.docker.engine import Engine
from chef_supervisor.sandboxes.docker.handover import Handover
from chef_supervisor.sandboxes.docker.keeper import Keeper
from chef_supervisor.sandboxes.docker.leftovers import marked, remove_leftover
from chef_supervisor.sandboxes.docker.mounts import StagingVolume, StoredVolume
from chef_supervisor.sandboxes.docker.names import Names
from chef_supervisor.sandboxes.docker.shelf import DockerShelf
from chef_supervisor.sandboxes.docker.trouble import TROUBLE, unavailable
from chef_supervisor.sandboxes.docker.volume import make_volume, remove_volume, volume_labels, volume_name
from chef_supervisor.sandboxes.docker.warm import WarmBoxes
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies, Limits, Role

_MIB: Final = 1 << 20
_PROBE_LIMITS: Final = Limits(memory_bytes=64 * _MIB, cpus=0.1, pids=16, workspace_bytes=8 * _MIB)


class DockerBox:
    """One started container."""

    def __init__(self, engine: Engine, config: DockerConfig, container: str, line: AttachedLine) -> None:
        self._engine = engine
        self._config = config
        self.container = container
        self._line = line
        self.conversation = Conversation(line, self._why, config.end_grace_s, self._check_engine)

    @property
    def alive(self) -> bool:
        """Returns: whether its end is not known."""
        return not self._line.ended

    def run(self, work: Work) -> AsyncIterator[BoxEvent]:
        """Give it its work, once."""
        return self.conversation.run(work, {})

    async def _why(self) -> EndedBy:
        timeout_s = self._config.stop_timeout_s
        ask = partial(lifecycle.why_ended, container=self.container, timeout_s=timeout_s)
        return await self._engine.ask(ask, "learn how a box ended", timeout_s)

    async def _check_engine(self) -> None:
        """A box that said nothing more may have run to its end, with an engine that passed nothing on."""
        await self._engine.ask(lambda client: client.ping(), "reach the Docker Engine", self._config.stop_timeout_s)


@attrs.frozen(kw_only=True)
class _Kind:
    """What a box that waits is like; a job is given no other than it would be given anew."""

    limits: Limits
    realm: str
    image: str
    sees_store: bool


class DockerSandbox:
    """Boxes as containers. No folder of the machine is ever mounted; dependencies are volumes."""

    name = "docker"

    def __init__(self, config: DockerConfig) -> None:
        self._config = config
        self._engine = Engine(config)
        self._names = Names()
        self._keeper = Keeper(engine=self._engine, config=config, names=self._names)
        self.shelf = DockerShelf(self._keeper)
        self._realm = ""
        # Of one supervisor all have the same limits; whoever keeps boxes warm says which.
        self._warm_limits: Limits | None = None
        self._warm: WarmBoxes[DockerBox, _Kind | None] = WarmBoxes(self._warm_kind, self._start_warm)

    def belong_to(self, realm: str) -> None:
        """Label what is made from now on with that realm."""
        self._realm = self._keeper.realm = realm

    async def ping(self) -> None:
        """
        Check that the engine answers and has the runner image; nothing is pulled.

        Raises:
            SandboxUnavailable: it does not; the reason says what to do.
        """
        await self._engine.ask(lambda client: client.ping(), "reach the Docker Engine")
        image = self._config.image
        require = partial(lifecycle.require_image, image=image)
        self.shelf.image = await self._engine.ask(require, f"use the runner image {image}")

    async def probe(self) -> None:
        """
        Check that the engine creates a container with all its limits, which is removed and never started.

        Raises:
            SandboxUnavailable: it does not; the reason says what to do.
        """
        await self.ping()
        order = BoxOrder(name=f"chef-probe-{uuid.uuid4().hex}", role=Role.PROBE, limits=_PROBE_LIMITS)
        async with self._created(order, None):
            pass

    async def leftovers(self) -> Sequence[Leftover]:
        """
        Returns: containers, networks and volumes of any supervisor, but those that this process uses.

        Raises:
            SandboxUnavailable: the engine failed, or did not answer in time.
        """
        free_of_ours = self._names.free_of()
        return free_of_ours(await self._engine.ask(marked, "list what was left behind", self._config.stop_timeout_s))

    async def remove(self, leftover: Leftover) -> None:
        """
        Remove it; a container is killed.

        Raises:
            SandboxUnavailable: the engine did not, as far as can be told.
        """
        remove = partial(remove_leftover, leftover=leftover)
        doing = f"remove the {leftover.kind} {leftover.handle}"
        await self._engine.call(remove, doing, self._config.stop_timeout_s)

    @asynccontextmanager
    async def dependencies(self, name: str, run: RunId | None = None) -> AsyncIterator[Dependencies]:
        """Returns: an empty staging volume; removed when the context is left."""
        volume, handover = volume_name(name), Handover()
        labels = volume_labels(self._config, self._realm, run)
        make = partial(make_volume, name=volume, labels=labels, handover=handover)
        with self._names.use(LeftoverKind.VOLUME, volume):
            try:
                await self._engine.call(make, f"make the volume {volume}")
                yield StagingVolume(volume)
            finally:
                if made := handover.give_up():
                    await self._clean_up(partial(remove_volume, name=made), f"remove the volume {made}")

    @asynccontextmanager
    async def box(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[DockerBox]:
        """
        Start a container, or take one that was started ahead of need; leaving the context kills and removes it.

        Raises:
            SandboxUnavailable: it did not start; the reason says what to do.
        """
        async with AsyncExitStack() as removal:
            removal.enter_context(self._warm.at_work())
            box = await self._taken(order, dependencies, removal)
            if box is None:
                box = await removal.enter_async_context(self._started(order, dependencies))
            yield box

    async def keep_warm(self, limits: Limits, count: int) -> None:
        """
        Keep so many containers started ahead of need, until cancelled.

        Raises:
            SandboxUnavailable: none can be started now.
        """
        if not self.shelf.opened:
            # Else what waits would be mounted without the store, and of no use to most jobs.
            await self.shelf.look({})
        self._warm_limits = limits
        await self._warm.keep(count)

    async def _taken(
        self, order: BoxOrder, dependencies: Dependencies | None, removal: AsyncExitStack
    ) -> DockerBox | None:
        """Returns: a container that waited, the order's from now on; None where there is none that would do."""
        seen = self._seen(order.role, dependencies)
        if order.role is not Role.JOB or not isinstance(seen, StoredVolume):
            return None
        name = taken_name(order, seen.key)
        async with AsyncExitStack() as taking:
            # Before it is taken: so they are used until its removal was tried.
            for used in sorted({order.name, name}):
                taking.enter_context(self._names.use(LeftoverKind.CONTAINER, used))
            warm = self._warm.take(self._kind(order.limits))
            if warm is None:
                return None
            await taking.enter_async_context(warm.removal)
            rename = partial(lifecycle.rename, container=warm.box.container, name=name)
            if not await self._engine.call(rename, f"take a box for {order.name}"):
                return None
            removal.push_async_exit(taking.pop_all())
        return warm.box

    def _kind(self, limits: Limits) -> _Kind:
        return _Kind(limits=limits, realm=self._realm, image=self.shelf.image, sees_store=self.shelf.opened)

    def _warm_kind(self) -> _Kind | None:
        return None if self._warm_limits is None else self._kind(self._warm_limits)

    async def _start_warm(self, kind: _Kind | None, removal: AsyncExitStack) -> DockerBox:
        assert kind is not None  # noqa: S101  (`keep_warm` has said it)
        order = BoxOrder(name=f"chef-warm-{uuid.uuid4().hex}", role=Role.WARM, limits=kind.limits)
        return await removal.enter_async_context(self._started(order, self._seen(Role.JOB, None)))

    @asynccontextmanager
    async def _started(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[DockerBox]:
        async with self._created(order, dependencies) as container:
            line = await self._attach(container)
            try:
                box = DockerBox(self._engine, self._config, container, line)
                await self._start(box, line)
                yield box
            finally:
                line.close()

    async def close(self) -> None:
        """Let go of the engine's connections and threads."""
        self._engine.close()

    @asynccontextmanager
    async def _created(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[str]:
        """Returns: the id of a new container; it is removed when the context is left."""
        seen, handover = self._seen(order.role, dependencies), Handover()
        create = partial(
            lifecycle.create, config=self._config, realm=self._realm, order=order, seen=seen, handover=handover
        )
        with self._names.use(LeftoverKind.CONTAINER, order.name):
            try:
                yield await self._engine.call(create, f"create the box {order.name}")
            finally:
                if made := handover.give_up():
                    await self._clean_up(partial(lifecycle.remove, container=made), f"remove the box {order.name}")

    def _seen(self, role: Role, dependencies: Dependencies | None) -> Seen:
        if dependencies is None:
            # A box of a job that is started ahead of need does not know its dependencies yet.
            return StoredVolume(self._config.volume) if role is Role.JOB and self.shelf.opened else None
        assert isinstance(dependencies, StagingVolume | StoredVolume)  # noqa: S101  (of another sandbox: a bug)
        return dependencies

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
        await clean_up(self._engine, work, doing, self._config.stop_timeout_s)
