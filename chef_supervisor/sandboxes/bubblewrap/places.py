"""The folders that dependencies are kept in: ours alone, one a name, gone when they are left."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.bubblewrap.descriptor import Descriptor
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.inside import BOX_UID
from chef_supervisor.sandboxes.leaving import finish

_log: Final = logging.getLogger(__name__)
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")
# Any depth, folders without permissions, links never followed; recursion in Python would not reach any depth.
_REMOVE: Final = 'rm -rf -- "$1" || { chmod -fR u+rwX -- "$1"; rm -rf -- "$1"; }'


@attrs.frozen
class DependencyFolder:
    """A folder that boxes see as `/deps`."""

    path: Path


@asynccontextmanager
async def dependency_folder(config: BubblewrapConfig, name: str, *, as_root: bool) -> AsyncIterator[DependencyFolder]:
    """
    Returns: an empty folder; removed when the context is left.

    Raises:
        SandboxUnavailable: it cannot be made.
    """
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name for dependencies"
        raise ValueError(msg)
    path = config.data_dir / "deps" / name
    try:
        await _make(path, config, as_root=as_root)
        yield DependencyFolder(path)
    finally:
        await _leave(path, config)


async def _make(path: Path, config: BubblewrapConfig, *, as_root: bool) -> None:
    try:
        await _remove(path, config)
        _make_empty(path, as_root=as_root)
    except OSError as error:
        reason = f"no folder for dependencies at {path}: {error.strerror}; check the state folder's room and owner"
        raise SandboxUnavailable(reason) from error


def _make_empty(path: Path, *, as_root: bool) -> None:
    path.mkdir(mode=0o700, parents=True)
    if as_root:
        os.chown(path, BOX_UID, BOX_UID)


async def _leave(path: Path, config: BubblewrapConfig) -> None:
    try:
        await _remove(path, config)
    except OSError as error:
        _log.warning("dependencies stay at %s: %s", path, error, extra={"event": "dependencies.left_behind"})


async def _remove(path: Path, config: BubblewrapConfig) -> None:
    """
    Remove what an install left there, if anything; what takes too long goes on without us.

    Raises:
        OSError: that cannot even be begun.
    """
    doomed = _set_aside(path)
    if doomed is None:
        return
    removal = _begin_removal(doomed)
    if not await finish(lambda: _end_of(removal), timeout_s=config.remove_timeout_s, hurry_s=config.hurry_s):
        _log.warning("still removing %s", doomed, extra={"event": "dependencies.left_behind"})
    elif removal.returncode:
        _log.warning("dependencies stay at %s", doomed, extra={"event": "dependencies.left_behind"})


def _set_aside(path: Path) -> Path | None:
    """Returns: what is to be removed, if anything; its name is free at once, however long the removal takes."""
    # No name for dependencies begins with a dot. Their names may be as long as a file's may be.
    doomed = path.with_name(f".{uuid.uuid4().hex}")
    try:
        return path.rename(doomed)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _begin_removal(doomed: Path) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    command = ("sh", "-c", _REMOVE, "sh", str(doomed))
    # In a session of its own: the end of this process, or of its terminal, does not stop it.
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603


async def _end_of(process: subprocess.Popen[bytes]) -> None:
    end = Descriptor.of_process(process.pid)
    try:
        await end.readable()
    finally:
        end.close()
    process.wait()
