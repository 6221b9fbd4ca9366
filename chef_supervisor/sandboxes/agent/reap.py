"""Children: who ended and how; and the end of everything that a step left running."""

from __future__ import annotations

import os
import signal


class Children:
    """Collects the dead. Only PID 1 of a namespace may sweep it; elsewhere only the step's own group is killed."""

    def __init__(self) -> None:
        self._owns_namespace = os.getpid() == 1
        self.wake, self._waker = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self._waker, False)

    def listen(self) -> None:
        """From now on `wake` becomes readable when a child ended."""
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # PID 1 is deaf to signals without a handler; Python's own for SIGINT would let a step end us.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def clear_wake(self) -> None:
        """Take what made `wake` readable."""
        try:
            os.read(self.wake, 4096)
        except BlockingIOError:
            return

    def reap(self, wanted: int) -> int | None:
        """Returns: the wait status of `wanted` if it has ended; orphans that ended are collected on the way."""
        found = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return found
            if pid == 0:
                return found
            if pid == wanted:
                found = status

    def sweep(self, group: int) -> None:
        """Kill everything that a step left and wait until it is gone; a process born meanwhile is killed too."""
        if not self._owns_namespace:
            self._kill(-group)
            self._collect(-group)
            return
        while True:
            self._kill(-1)
            if not self._collect(-1):
                return

    def _kill(self, whom: int) -> None:
        try:
            os.kill(whom, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _collect(self, whom: int) -> bool:
        """Returns: whether there was one to wait for."""
        try:
            os.waitpid(whom, 0)
        except ChildProcessError:
            return False
        return True
