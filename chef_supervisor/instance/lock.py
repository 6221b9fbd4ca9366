"""The lock on an instance's folder. The kernel gives it back however its holder ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import attrs


@attrs.define(eq=False)
class InstanceLock:
    """Held by one process alone: no child inherits it, so a box that outlives its supervisor does not hold it."""

    _descriptor: int | None

    @classmethod
    def try_take(cls, folder: Path) -> InstanceLock | None:
        """
        Returns: the lock on that folder; None where somebody has it, this process included.

        Raises:
            OSError: the folder is not there, or is not ours to write.
        """
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Give it back; nothing happens where it was given back before."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
