"""How much the steps have written below a folder that has no size of its own: it is walked through now and then."""

from __future__ import annotations

import os
import time

_LEAST_PAUSE_S = 1.0
# At most a twentieth of the time goes into walking.
_PAUSE_PER_WALK = 20
_BLOCK = 512


class DiskUse:
    """`over` is set once there is more than `most_bytes` below the folder; 0 allows everything."""

    def __init__(self, folder: str, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._next = 0.0
        self.over = False

    def sample(self) -> None:
        """Look now, unless it was looked at lately."""
        began = time.monotonic()
        if not self._most_bytes or self.over or began < self._next:
            return
        self.over = self._walk() > self._most_bytes
        ended = time.monotonic()
        self._next = ended + max(_LEAST_PAUSE_S, _PAUSE_PER_WALK * (ended - began))

    def _walk(self) -> int:
        """Returns: the bytes on the disk; too many where folders are nested too deep to be counted."""
        used, seen, waiting = 0, set(), [self._folder]
        while waiting and used <= self._most_bytes:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        status = entry.stat(follow_symlinks=False)
                        if status.st_nlink == 1 or status.st_ino not in seen:
                            used += status.st_blocks * _BLOCK
                            seen.add(status.st_ino)
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                # Gone meanwhile, or closed; what is closed to us cannot be kept either.
                continue
            except OSError:
                return self._most_bytes + 1
        return used
