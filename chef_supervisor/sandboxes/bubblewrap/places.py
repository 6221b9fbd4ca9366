"""The folders that dependencies are installed in: one a name, gone when they are left."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.bubblewrap.removal import remove_tree
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.inside import BOX_UID

_log: Final = logging.getLogger(__name__)
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")


@attrs.frozen
class DependencyFolder:
    """A staging folder that boxes see as `/deps`."""

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
    path = dependencies_in(config.data_dir) / name
    try:
        await _make(path, config, as_root=as_root)
        yield DependencyFolder(path)
    finally:
        await _leave(path, config)


def dependencies_in(data_dir: Path) -> Path:
    """Returns: the folder of such folders."""
    return data_dir / "deps"


async def _make(path: Path, config: BubblewrapConfig, *, as_root: bool) -> None:
    try:
        await remove_tree(path, config)
        _make_empty(path, as_root=as_root)
    except OSError as error:
        # Without the path: callers are told it, in the story of a job that is poisoned.
        reason = f"no folder for dependencies: {error.strerror}; check the state folder's room and owner"
        raise SandboxUnavailable(reason) from error


def _make_empty(path: Path, *, as_root: bool) -> None:
    path.mkdir(mode=0o700, parents=True)
    if as_root:
        os.chown(path, BOX_UID, BOX_UID)


async def _leave(path: Path, config: BubblewrapConfig) -> None:
    try:
        await remove_tree(path, config)
    except OSError as error:
        _log.warning("dependencies stay at %s: %s", path, error, extra={"event": "dependencies.left_behind"})
