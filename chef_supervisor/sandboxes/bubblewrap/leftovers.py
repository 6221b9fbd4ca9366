"""Folders of dependencies that a process which was killed left on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.instance import InstanceLock
from chef_supervisor.sandboxes.bubblewrap.places import dependencies_in
from chef_supervisor.sandboxes.bubblewrap.removal import remove_aside, set_aside, under_way
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind


class Leftovers:
    """
    In our own data folder: what this process does not use. In that of another instance: everything, where nobody has
    that instance's lock. It is held here while the folder gets another name, which nobody who comes then knows.
    """

    def __init__(self, config: BubblewrapConfig) -> None:
        self._config = config
        self._used: set[str] = set()

    @contextmanager
    def none_of(self, name: str) -> Iterator[None]:
        """Tell nothing of that name while the context lasts: this process uses it."""
        self._used.add(name)
        try:
            yield
        finally:
            self._used.discard(name)

    def found(self) -> list[Leftover]:
        """
        Returns: all of them.

        Raises:
            SandboxUnavailable: a folder cannot be read.
        """
        try:
            paths = [*self._own(), *self._of_the_dead()]
        except OSError as error:
            raise SandboxUnavailable(f"cannot look for what was left behind: {error}") from error
        return [Leftover(handle=str(path), kind=LeftoverKind.FOLDER, role="dependencies") for path in paths]

    async def remove(self, leftover: Leftover) -> None:
        """
        Remove it, unless somebody uses it by now.

        Raises:
            SandboxUnavailable: that cannot even be begun.
        """
        path = Path(leftover.handle)
        try:
            if doomed := self._set_aside(path):
                await remove_aside(doomed, self._config)
        except OSError as error:
            raise SandboxUnavailable(f"cannot remove {path}: {error.strerror}") from error

    def _own(self) -> list[Path]:
        found = _within(dependencies_in(self._config.data_dir))
        return [path for path in found if path.name not in self._used and path not in under_way]

    def _of_the_dead(self) -> Iterator[Path]:
        for data_dir in self._other_data_dirs():
            # The lock is taken only where something is: whoever starts at this moment would miss it.
            if (found := _within(dependencies_in(data_dir))) and (lock := InstanceLock.try_take(data_dir.parent)):
                lock.release()
                yield from (path for path in found if path not in under_way)

    def _other_data_dirs(self) -> list[Path]:
        own = self._config.data_dir
        siblings = _within(self._config.siblings) if self._config.siblings else []
        return [path / own.name for path in siblings if path / own.name != own and (path / own.name).is_dir()]

    def _set_aside(self, path: Path) -> Path | None:
        data_dir = path.parent.parent
        if data_dir == self._config.data_dir:
            return None if path.name in self._used else set_aside(path)
        lock = InstanceLock.try_take(data_dir.parent)
        if lock is None:
            return None
        try:
            return set_aside(path)
        finally:
            lock.release()


def _within(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
