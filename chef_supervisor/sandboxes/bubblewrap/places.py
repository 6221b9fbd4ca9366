"""The folders that dependencies are kept in: ours alone, one a name, gone when they are left."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.inside import BOX_UID

_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}")


@attrs.frozen
class DependencyFolder:
    """A folder that boxes see as `/deps`."""

    path: Path


@asynccontextmanager
async def dependency_folder(data_dir: Path, name: str, *, as_root: bool) -> AsyncIterator[DependencyFolder]:
    """
    Returns: an empty folder; removed when the context is left.

    Raises:
        SandboxUnavailable: it cannot be made.
    """
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name for dependencies"
        raise ValueError(msg)
    path = data_dir / "deps" / name
    try:
        await _remove(path)
        path.mkdir(mode=0o700, parents=True)
        if as_root:
            os.chown(path, BOX_UID, BOX_UID)
    except OSError as error:
        reason = f"no folder for dependencies at {path}: {error.strerror}; check the state folder's room and owner"
        raise SandboxUnavailable(reason) from error
    try:
        yield DependencyFolder(path)
    finally:
        await _remove(path)


async def _remove(path: Path) -> None:
    """Remove what an install left: any depth, folders without permissions, links never followed."""
    # `rm` walks any depth; recursion in Python would not.
    for command in (("rm", "-rf"), ("chmod", "-fR", "u+rwX"), ("rm", "-rf")):
        process = await asyncio.create_subprocess_exec(
            *command, "--", str(path), stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        if await process.wait() == 0 and command[0] == "rm":
            return
