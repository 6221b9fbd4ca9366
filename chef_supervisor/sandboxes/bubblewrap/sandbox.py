"""The sandbox of one machine without a Docker Engine; see the package for what the kernel holds and what it does not."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import cached_property
from typing import Final

from chef_supervisor.domain.errors import Bug, SandboxUnavailable
from chef_supervisor.domain.job import RunId
from chef_supervisor.domain.work import BoxEvent, EndedBy, Step, Work
from chef_supervisor.sandboxes.bubblewrap import layout
from chef_supervisor.sandboxes.bubblewrap.command import Command, runs_as_root
from chef_supervisor.sandboxes.bubblewrap.leftovers import Leftovers
from chef_supervisor.sandboxes.bubblewrap.places import DependencyFolder, dependency_folder
from chef_supervisor.sandboxes.bubblewrap.process import BoxProcess
from chef_supervisor.sandboxes.bubblewrap.seccomp import seccomp_program
from chef_supervisor.sandboxes.bubblewrap.shelf import FolderShelf, StoredFolder
from chef_supervisor.sandboxes.bubblewrap.tools import Tools, find_tools
from chef_supervisor.sandboxes.bubblewrap.watch import Watch
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.conversation import Conversation
from chef_supervisor.sandboxes.inside import DEPENDENCIES_AT, most_file_bytes
from chef_supervisor.sandboxes.leaving import finish
from chef_supervisor.sandboxes.leftover import Leftover
from chef_supervisor.sandboxes.sandbox import WRITERS, BoxOrder, Dependencies, Limits, Role

_log: Final = logging.getLogger(__name__)
_NPROC_IS_PER_NAMESPACE: Final = (5, 14)
_MIB: Final = 1 << 20

CAVEATS: Final = (
    "memory is looked at a few times a second, not limited: a box may use more for an instant",
    "CPU time is not limited: boxes only give way to the supervisor",
    "what an install writes is looked at about once a second: it may write more for an instant",
    "installs have the network of this machine, loopback included",
    "on kernels before 5.14 the number of processes is looked at, not limited",
    "system calls are filtered on x86_64 and aarch64 only",
)
_HINT: Final = (
    "bubblewrap cannot make a box here; allow user namespaces (sysctl user.max_user_namespaces, and "
    "kernel.apparmor_restrict_unprivileged_userns=0 where that exists), or use Docker"
)


class BubblewrapBox:
    """One started box."""

    def __init__(self, process: BoxProcess, limits: dict[str, int], grace_s: float) -> None:
        self._process = process
        self._limits = limits
        self._reason: EndedBy | None = None
        self.conversation = Conversation(process, self._why, grace_s)

    def run(self, work: Work) -> AsyncIterator[BoxEvent]:
        """Give it its work, once."""
        return self.conversation.run(work, self._limits)

    def stop(self, reason: EndedBy) -> None:
        """Kill it; `reason` is what its end will be called."""
        self._reason = reason
        self._process.kill()

    async def _why(self) -> EndedBy:
        return self._reason or EndedBy.KILLED


class BubblewrapSandbox:
    """Boxes of kernel namespaces; `caveats` says what is best effort."""

    name = "bubblewrap"
    caveats = CAVEATS

    def __init__(self, config: BubblewrapConfig) -> None:
        self._config = config
        self._as_root = runs_as_root()
        self._watch = Watch(config.watch_s)
        self._seccomp = seccomp_program()
        self._names: set[str] = set()
        self._leftovers = Leftovers(config)

    @cached_property
    def _tools(self) -> Tools:
        return find_tools(self._config)

    @cached_property
    def shelf(self) -> FolderShelf:
        """Returns: where installed dependencies are kept."""
        return FolderShelf(self._config, self._tools)

    def belong_to(self, realm: str) -> None:
        """Nothing is marked: what is left is told by the locks of the folders it lies in."""

    async def ping(self) -> None:
        """
        Check that bubblewrap is there; nobody needs to answer.

        Raises:
            SandboxUnavailable: it is not.
        """
        if not os.access(self._tools.bwrap, os.X_OK):
            raise SandboxUnavailable(f"{self._tools.bwrap} is gone; install it again, and start the service anew")

    async def leftovers(self) -> Sequence[Leftover]:
        """
        Returns: folders of dependencies that no living process uses. Boxes leave nothing: they end with us.

        Raises:
            SandboxUnavailable: a folder cannot be read.
        """
        return self._leftovers.found()

    async def remove(self, leftover: Leftover) -> None:
        """
        Remove the folder; what takes long goes on by itself.

        Raises:
            SandboxUnavailable: that cannot even be begun.
        """
        await self._leftovers.remove(leftover)

    async def probe(self) -> None:
        """
        Make a box and run a step in it.

        Raises:
            SandboxUnavailable: that failed; the reason says what to do.
        """
        limits = Limits(memory_bytes=256 * _MIB, cpus=1, pids=64, workspace_bytes=8 * _MIB)
        step = Step(name="probe", argv=(self._tools.python, "-I", "-S", "-c", ""), timeout_s=10)
        async with self.box(BoxOrder(name=f"probe-{uuid.uuid4().hex}", role=Role.JOB, limits=limits), None) as box:
            events = [event async for event in box.run(Work(files={}, steps=(step,), timeout_s=10))]
        if getattr(events[-2], "exit_code", None) != 0:
            raise SandboxUnavailable(_HINT)

    @asynccontextmanager
    async def dependencies(self, name: str, run: RunId | None = None) -> AsyncIterator[Dependencies]:
        """Returns: an empty staging folder below the data folder; removed when the context is left."""
        del run
        with self._leftovers.none_of(name):
            async with dependency_folder(self._config, name, as_root=self._as_root) as folder:
                yield folder

    @asynccontextmanager
    async def box(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[BubblewrapBox]:
        """
        Start a box; leaving the context kills it and waits until its last process is gone.

        Raises:
            SandboxUnavailable: it did not start; the reason says what to do.
        """
        if order.name in self._names:
            raise SandboxUnavailable(f"the name {order.name} is already in use by a running box")
        self._names.add(order.name)
        try:
            with _in_use(dependencies) as there:
                async with self._started(order, there) as box:
                    yield box
        finally:
            self._names.discard(order.name)

    @asynccontextmanager
    async def _started(self, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[BubblewrapBox]:
        try:
            process = self._start(order, dependencies)
        except OSError as error:
            raise SandboxUnavailable(f"{_HINT}: {error}") from error
        try:
            box = BubblewrapBox(process, self._step_limits(order.limits), self._config.end_grace_s)
            pid = await self._greet(box, process)
            async with self._watch.guard(pid, order.limits, box.stop):
                yield box
        finally:
            await self._end(process)

    async def keep_warm(self, limits: Limits, count: int) -> None:
        """Return at once: a box is mounted for what its job depends on, and takes milliseconds to start."""
        del limits, count

    async def close(self) -> None:
        """Nothing is held between boxes."""

    def _start(self, order: BoxOrder, dependencies: Dependencies | None) -> BoxProcess:
        # Nothing is awaited here, so nothing can be cancelled between what is opened and who closes it.
        with ExitStack() as unless_started, ExitStack() as stack:
            reading, writing = os.pipe()
            unless_started.callback(os.close, reading)
            stack.callback(os.close, writing)
            files = _Files(stack)
            network = order.role is Role.INSTALL
            command = Command(
                tools=self._tools,
                shown=layout.shown_to(self._tools, network=network, dependencies=_shown(order.role, dependencies)),
                texts=[(files.add(content), path) for path, content in layout.texts(self._tools)],
                seccomp=files.add(self._seccomp) if self._seccomp else None,
                info=writing,
                limits=order.limits,
                network=network,
                as_root=self._as_root,
            )
            process = BoxProcess.start(command.argv(), inherit=[*files.descriptors, writing], info=reading)
            unless_started.pop_all()
            return process

    async def _greet(self, box: BubblewrapBox, process: BoxProcess) -> int:
        """Returns: the agent's process id, once it has said hello."""
        complaint = f"no hello within {self._config.start_timeout_s:g} s"
        with suppress(TimeoutError):
            async with asyncio.timeout(self._config.start_timeout_s):
                if await box.conversation.hello():
                    return _agent_of(process)
                await process.gone()
                complaint = await process.complaint()
        raise SandboxUnavailable(f"{_HINT} ({complaint})")

    async def _end(self, process: BoxProcess) -> None:
        try:
            process.kill()
            if not await finish(process.gone, timeout_s=self._config.stop_timeout_s, hurry_s=self._config.hurry_s):
                _log.warning("a box did not end within its time", extra={"event": "box.stuck"})
        finally:
            process.close()

    def _step_limits(self, limits: Limits) -> dict[str, int]:
        # Counted per user namespace, and thus per box, only by these kernels; before, per user of the machine.
        release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
        return {
            "nice": self._config.nice,
            "nproc": limits.pids if release >= _NPROC_IS_PER_NAMESPACE else 0,
            "nofile": limits.open_files,
            "fsize": most_file_bytes(limits.workspace_bytes),
        }


def _agent_of(process: BoxProcess) -> int:
    try:
        return process.agent_pid()
    except (OSError, ValueError, KeyError, TypeError) as error:
        # It died between its hello and now, or no descriptor is free: nothing could kill it later.
        raise SandboxUnavailable(f"bubblewrap did not tell a box's process id: {error!r}") from error


@contextmanager
def _in_use(dependencies: Dependencies | None) -> Iterator[Dependencies | None]:
    """Yields: the same; nothing in place of an entry that is gone, or going: the agent will say so."""
    with ExitStack() as stack:
        if isinstance(dependencies, StoredFolder):
            try:
                there = stack.enter_context(dependencies.used())
            except OSError as error:
                raise SandboxUnavailable(f"the store of dependencies cannot be used: {error.strerror}") from error
            dependencies = dependencies if there else None
        yield dependencies


def _shown(role: Role, dependencies: Dependencies | None) -> layout.Shown | None:
    match dependencies:
        case None:
            return None
        case StoredFolder():
            return layout.Shown(str(dependencies.path), dependencies.at)
        case DependencyFolder():
            return layout.Shown(str(dependencies.path), DEPENDENCIES_AT, writable=role in WRITERS)
        case _:
            raise Bug


class _Files:
    """Files in memory, for a program to read by their descriptors; closed with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.descriptors: list[int] = []

    def add(self, content: bytes) -> int:
        """Returns: a descriptor to read that content from."""
        descriptor = os.memfd_create("chef")
        self._stack.callback(os.close, descriptor)
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        self.descriptors.append(descriptor)
        return descriptor
