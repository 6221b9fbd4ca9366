"""Installed dependencies in folders below the state folder; a box sees the one it uses and no other."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from chef_supervisor.domain.errors import DependenciesRefused, SandboxUnavailable
from chef_supervisor.domain.shelf import Bounds, Inventory
from chef_supervisor.sandboxes import keeper
from chef_supervisor.sandboxes.bubblewrap.descriptor import Descriptor
from chef_supervisor.sandboxes.bubblewrap.places import DependencyFolder
from chef_supervisor.sandboxes.bubblewrap.tools import Tools
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.inside import DEPENDENCIES_AT
from chef_supervisor.sandboxes.kept import inventory_of
from chef_supervisor.sandboxes.leaving import finish

_KEEPER: Final = Path(keeper.__file__).parent
_LOCKS: Final = ".locks"
# Where these are the machine's own, they may change below us.
_OF_THE_SYSTEM: Final = ("python3", "node", "npm", "uv")


@attrs.frozen
class StoredFolder:
    """One entry of the store; a box sees it at `/deps/<key>`."""

    path: Path
    locks: Path

    @property
    def at(self) -> str:
        """Returns: where boxes see it."""
        return f"{DEPENDENCIES_AT}/{self.path.name}"

    @contextmanager
    def used(self) -> Iterator[bool]:
        """
        Keep everybody from removing it while the context lasts; the kernel gives that up however we end.

        Yields: whether it is there; somebody may be removing it at this moment.

        Raises:
            OSError: the lock cannot be made.
        """
        descriptor = _open_lock(self.locks, self.path.name)
        try:
            yield _locked(descriptor, fcntl.LOCK_SH) and self.path.is_dir()
        finally:
            os.close(descriptor)


class FolderShelf:
    """See `domain.shelf.Shelf`. The keeper runs as this process's user, outside any box: it runs nothing of a project's."""

    def __init__(self, config: BubblewrapConfig, tools: Tools) -> None:
        self._config = config
        self._tools = tools
        self._root = config.store or config.data_dir / "store"

    async def identity(self) -> str:
        """Returns: which programs boxes get, by where they are and when they changed."""
        return f"bubblewrap {os.uname().machine} {json.dumps(_programs(self._tools))}"

    async def look(self, used: Mapping[str, float]) -> Inventory:
        """Returns: all that is kept."""
        return await self._ask({"do": "look", "used": dict(used)})

    async def put(
        self, staging: object, key: str, *, bounds: Bounds, lifetime_s: float | None, notes: tuple[str, ...]
    ) -> Inventory:
        """Copy it from a staging folder."""
        assert isinstance(staging, DependencyFolder)  # noqa: S101  (of another sandbox: a bug)
        of_entry = {"key": key, "lifetime_s": lifetime_s, "notes": list(notes)}
        return await self._ask({"do": "put", "used": {}, **of_entry, **attrs.asdict(bounds)}, str(staging.path))

    async def drop(self, keys: tuple[str, ...], used: Mapping[str, float]) -> Inventory:
        """Remove entries that no living box uses."""
        with ExitStack() as stack:
            free = [key for key in keys if self._take(key, stack)]
            return await self._ask({"do": "drop", "keys": free, "used": dict(used)})

    def entry(self, key: str) -> StoredFolder:
        """Returns: what a box of a job is given."""
        return StoredFolder(self._root / key, self._root / _LOCKS)

    def _take(self, key: str, stack: ExitStack) -> bool:
        """Returns: whether nobody uses it; nobody can begin to until the stack is left."""
        try:
            descriptor = _open_lock(self._root / _LOCKS, key)
        except OSError:
            return False
        stack.callback(os.close, descriptor)
        return _locked(descriptor, fcntl.LOCK_EX)

    async def _ask(self, request: Mapping[str, Any], staging: str | None = None) -> Inventory:
        try:
            answer = await self._converse(json.dumps(request).encode() + b"\n", [staging] if staging else [])
        except (OSError, ValueError) as error:
            raise SandboxUnavailable("the keeper of dependencies cannot be run; check the state folder") from error
        inventory = inventory_of(answer)
        if refused := answer.get("refused"):
            raise DependenciesRefused(refused)
        return inventory

    async def _converse(self, request: bytes, staging: Sequence[str]) -> dict[str, Any]:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Files without a name in place of pipes: nothing has to be fed or read while it works.
        with ExitStack() as stack:
            asked, answered = (os.fdopen(os.memfd_create("chef"), "w+b") for _ in range(2))
            stack.callback(asked.close)
            stack.callback(answered.close)
            asked.write(request)
            asked.seek(0)
            command = (sys.executable, "-I", str(_KEEPER), str(self._root), *staging)
            process = subprocess.Popen(  # noqa: ASYNC220, S603  (our own program; its end is waited for below)
                command, stdin=asked, stdout=answered, stderr=subprocess.DEVNULL, env={}, cwd="/", process_group=0
            )
            stack.callback(_end, process)
            if not await _ended(process, self._config):
                raise SandboxUnavailable(f"the keeper of dependencies took more than {self._config.keep_timeout_s:g} s")
            answered.seek(0)
            return dict(json.loads(answered.read()))


async def _ended(process: subprocess.Popen[bytes], config: BubblewrapConfig) -> bool:
    end = Descriptor.of_process(process.pid)
    try:
        return await finish(end.readable, timeout_s=config.keep_timeout_s, hurry_s=config.hurry_s)
    finally:
        end.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_lock(locks: Path, key: str) -> int:
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(locks / key, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _programs(tools: Tools) -> list[tuple[str, str, int]]:
    """Returns: for each program or folder of programs where it is in the box and here, and when it changed."""
    found = [(at, source) for source, at in tools.shown]
    found += [(name, Path(folder, name)) for folder in ("/usr/local/bin", "/usr/bin") for name in _OF_THE_SYSTEM]
    found.append(("python", Path(tools.python)))
    return [(at, str(path.resolve()), path.stat().st_mtime_ns) for at, path in found if path.exists()]
