"""
Watches what the boxes use, where no cgroup does: memory of the process tree and of its tmpfs, number of processes.

Best effort: it looks a few times a second, so a box may be over its limit for that long. One look serves all boxes.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import attrs

from chef_supervisor.domain.work import EndedBy
from chef_supervisor.sandboxes.sandbox import Limits

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_MEMORY_FOLDERS: Final = ("workspace", "tmp", "dev/shm")
# As in Docker: an empty file takes memory too, which the size of a tmpfs does not bound.
_MOST_FILES: Final = 200 << 10
_PSS_ANON: Final = re.compile(rb"^Pss_Anon:\s+(\d+) kB", re.MULTILINE)


@attrs.frozen
class _Watched:
    limits: Limits
    stop: Callable[[EndedBy], None]


class Watch:
    """Ends a box that is over its limits, by the `stop` it was guarded with."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._watched: dict[int, _Watched] = {}
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def guard(self, pid: int, limits: Limits, stop: Callable[[EndedBy], None]) -> AsyncIterator[None]:
        """Watch the tree of processes below `pid` while the context lasts; `stop` is called at most once."""
        self._watched[pid] = _Watched(limits, stop)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look_on())
        try:
            yield
        finally:
            self._watched.pop(pid, None)
            if not self._watched:
                self._task.cancel()
                self._task = None

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            children = _children()
            for pid, watched in list(self._watched.items()):
                if reason := _over(_tree(pid, children), watched.limits):
                    del self._watched[pid]
                    watched.stop(reason)


def _over(pids: list[int], limits: Limits) -> EndedBy | None:
    if len(pids) > limits.pids:
        return EndedBy.PIDS
    held, files = _in_memory(pids[0])
    if held + sum(map(_private_bytes, pids)) > limits.memory_bytes:
        # Forks share pages, and the sum above counts them for each; the exact figure is too dear for every look.
        exact = sum(map(_proportional_bytes, pids))
        if held + exact > limits.memory_bytes:
            return EndedBy.OOM
    return EndedBy.DISK_FULL if files > _MOST_FILES else None


def _children() -> dict[int, list[int]]:
    """Returns: for each process of this machine the ones it started."""
    children: dict[int, list[int]] = defaultdict(list)
    for name in _processes():
        if name.isdigit():
            # "pid (name) state parent": the name may have anything in it, brackets too.
            fields = _read(f"/proc/{name}/stat").rpartition(b")")[2].split()
            if fields:
                children[int(fields[1])].append(int(name))
    return children


def _processes() -> list[str]:
    try:
        return os.listdir("/proc")  # noqa: PTH208  (hundreds of names, a few times a second)
    except OSError:
        # No descriptor is free: better to look again than never to look again.
        return []


def _tree(pid: int, children: dict[int, list[int]]) -> list[int]:
    """Returns: the process and all below it; orphans are adopted by the agent, so none is missed."""
    tree = [pid]
    for parent in tree:
        tree.extend(children.get(parent, ()))
    return tree


def _private_bytes(pid: int) -> int:
    """Returns: resident memory without what is mapped from files; shared memory is counted with the tmpfs."""
    fields = _read(f"/proc/{pid}/statm").split()
    return (int(fields[1]) - int(fields[2])) * _PAGE_BYTES if fields else 0


def _proportional_bytes(pid: int) -> int:
    rollup = _read(f"/proc/{pid}/smaps_rollup")
    found = _PSS_ANON.search(rollup)
    return int(found[1]) * 1024 if found else _private_bytes(pid)


def _in_memory(pid: int) -> tuple[int, int]:
    """Returns: how many bytes its tmpfs hold, and how many files."""
    used = files = 0
    for folder in _MEMORY_FOLDERS:
        try:
            status = os.statvfs(f"/proc/{pid}/root/{folder}")
        except OSError:
            continue
        used += (status.f_blocks - status.f_bfree) * status.f_frsize
        files += status.f_files - status.f_ffree
    return used, files


def _read(path: str) -> bytes:
    """Returns: what is in the file; nothing where the process is gone."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (hundreds of these a second)
            return file.read()
    except OSError:
        return b""
