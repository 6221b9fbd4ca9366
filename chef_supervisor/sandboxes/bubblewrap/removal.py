"""Removes whole folders, however deep and however closed, without holding up the loop."""

from __future__ import annotations

import logging
import subprocess
import uuid
from pathlib import Path
from typing import Final

from chef_supervisor.sandboxes.bubblewrap.descriptor import Descriptor
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.leaving import finish

_log: Final = logging.getLogger(__name__)
# Any depth, folders without permissions, links never followed; recursion in Python would not reach any depth.
_REMOVE: Final = 'rm -rf -- "$1" || { chmod -fR u+rwX -- "$1"; rm -rf -- "$1"; }'


# What this process is removing now, by the names it has until then. Used from the loop alone.
under_way: Final[set[Path]] = set()


async def remove_tree(path: Path, config: BubblewrapConfig) -> None:
    """
    Remove what an install left there, if anything; what takes too long goes on without us.

    Raises:
        OSError: that cannot even be begun.
    """
    if doomed := set_aside(path):
        await remove_aside(doomed, config)


def set_aside(path: Path) -> Path | None:
    """
    Returns: what is to be removed, if anything; its name is free at once, however long the removal takes.

    Raises:
        OSError: it cannot be moved.
    """
    # No name for dependencies begins with a dot. Their names may be as long as a file's may be.
    doomed = path.with_name(f".{uuid.uuid4().hex}")
    try:
        return path.rename(doomed)
    except (FileNotFoundError, NotADirectoryError):
        return None


async def remove_aside(doomed: Path, config: BubblewrapConfig) -> None:
    """
    Remove what was set aside, as `remove_tree` does.

    Raises:
        OSError: that cannot even be begun.
    """
    under_way.add(doomed)
    try:
        removal = _begin_removal(doomed)
        if not await finish(lambda: _end_of(removal), timeout_s=config.remove_timeout_s, hurry_s=config.hurry_s):
            _log.warning("still removing %s", doomed, extra={"event": "dependencies.left_behind"})
        elif removal.returncode:
            _log.warning("dependencies stay at %s", doomed, extra={"event": "dependencies.left_behind"})
    finally:
        under_way.discard(doomed)


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
