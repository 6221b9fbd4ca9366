"""Takes an instance: the one that was asked for, or the first slot that nobody has."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import time
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.instance.lock import InstanceLock

# A supervisor that was killed needs a moment to be gone, and one that looks for leftovers takes a lock for an instant.
_PATIENCE_S: Final = 2.0
_LOOK_S: Final = 0.05
_RANDOM_BYTES: Final = 8
_RANDOM: Final = re.compile(rf"[0-9a-f]{{{2 * _RANDOM_BYTES}}}")


@attrs.define(eq=False, kw_only=True)
class Instance:
    """
    `id`: who claims, as the store is told. `mark`: whose the boxes are, as their engine is told. `folder`: ours alone.

    The mark is random and stays in the folder. Without a name it is the id, too. A name is its own id, so that it holds
    where the folder is new: no two supervisors that share a Redis may have the same. They may share an engine, for
    what carries the mark was made by a holder of this lock.
    """

    id: str
    mark: str
    folder: Path
    _lock: InstanceLock

    @property
    def siblings(self) -> Path:
        """Returns: where the folders of all instances are."""
        return self.folder.parent

    def release(self) -> None:
        """Let somebody else have it."""
        self._lock.release()


def take_instance(state_dir: Path, name: str = "") -> Instance:
    """
    Returns: the instance of that name; without one, the first of the slots 0, 1, ... that nobody has.

    Raises:
        Misconfigured: a living process has that instance, or the state folder cannot be used.
    """
    instances = state_dir / "instances"
    try:
        instances.mkdir(mode=0o700, parents=True, exist_ok=True)
        if instances.stat().st_uid != os.geteuid():
            raise PermissionError(f"{instances} belongs to somebody else")
        return _take_name(instances / name) if name else _take_slot(instances)
    except OSError as error:
        raise Misconfigured((f"CHEF_STATE_DIR={str(state_dir)!r}: cannot be used: {error}",)) from error


def _take_name(folder: Path) -> Instance:
    # Nothing else runs yet that this could hold up.
    until = time.monotonic() + _PATIENCE_S
    while (lock := _try(folder)) is None and time.monotonic() < until:
        time.sleep(_LOOK_S)
    if lock is None:
        taken = "another supervisor that runs now is this instance; stop it, or choose another name"
        raise Misconfigured((f"CHEF_INSTANCE={folder.name!r}: {taken} (its lock is {folder / 'lock'})",))
    return _made(folder, lock, name=folder.name)


def _take_slot(instances: Path) -> Instance:
    for number in itertools.count():
        folder = instances / str(number)
        if lock := _try(folder):
            return _made(folder, lock)
    raise AssertionError  # pragma: no cover  (it counts for ever)


def _made(folder: Path, lock: InstanceLock, name: str = "") -> Instance:
    try:
        random = _random_of(folder)
    except OSError:
        lock.release()
        raise
    mark = f"{name}-{random}" if name else random
    return Instance(id=name or mark, mark=mark, folder=folder, lock=lock)


def _try(folder: Path) -> InstanceLock | None:
    folder.mkdir(mode=0o700, exist_ok=True)
    return InstanceLock.try_take(folder)


def _random_of(folder: Path) -> str:
    """Returns: the folder's own random text, made now where there is none, or where a crash left half of one."""
    path = folder / "id"
    known = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
    if _RANDOM.fullmatch(known):
        return known
    made = secrets.token_hex(_RANDOM_BYTES)
    path.write_text(made, encoding="ascii")
    return made
