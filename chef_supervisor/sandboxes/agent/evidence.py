"""What tells why a step failed: the kernel's counters for this box, and how full its folders and process table got."""

from __future__ import annotations

import os
from typing import NamedTuple

from .usage import DiskUse

# cgroup v2 first, then v1.
_OOM_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_PIDS_FILES = ("/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events")
# Of the whole machine: it only counts together with a step that was killed.
_MACHINE = ("/proc/vmstat",)
_FULL_PART, _FULL_BYTES, _FULL_INODES = 100, 1 << 20, 8
_NEARLY_ALL_PIDS = 0.95


class Counters(NamedTuple):
    """Readings that only rise; 0 where they cannot be read."""

    oom_kills: int
    machine_oom_kills: int
    pids_refused: int


def read_counters() -> Counters:
    """Returns: the readings now."""
    return Counters(_read(_OOM_FILES, b"oom_kill"), _read(_MACHINE, b"oom_kill"), _read(_PIDS_FILES, b"max"))


def _read(files: tuple[str, ...], key: bytes) -> int:
    for name in files:
        try:
            with open(name, "rb") as file:
                lines = file.read(65_536).splitlines()
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) == 2 and words[0] == key:
                return int(words[1])
    return 0


class Gauge:
    """Remembers whether, while a step ran, a folder was ever full or every process was ever in use."""

    def __init__(self, folders: list[str], nproc: int, disk: DiskUse | None = None) -> None:
        self._folders = folders
        self._disk = disk
        self._most_pids = int(nproc * _NEARLY_ALL_PIDS)
        self.reset()

    def reset(self) -> None:
        """Forget; a new step begins."""
        self.disk_full = False
        self.pids_full = False

    @property
    def over_disk(self) -> bool:
        """Returns: whether the steps have written more than they may."""
        return self._disk is not None and self._disk.over

    def sample(self) -> None:
        """Look now."""
        if self._disk is not None:
            self._disk.sample()
        self.disk_full = self.disk_full or any(_is_full(folder) for folder in self._folders)
        if self._most_pids:
            self.pids_full = self.pids_full or _count_processes() >= self._most_pids


def _is_full(folder: str) -> bool:
    try:
        status = os.statvfs(folder)
    except OSError:
        return False
    free, total = status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
    no_inodes = status.f_files > 0 and status.f_favail < _FULL_INODES
    return no_inodes or free < min(total // _FULL_PART, _FULL_BYTES)


def _count_processes() -> int:
    return sum(name.isdigit() for name in os.listdir("/proc"))
