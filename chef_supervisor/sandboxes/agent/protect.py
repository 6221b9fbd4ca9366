"""What keeps the agent apart from the steps, which have the same user id."""

from __future__ import annotations

import os

_PR_SET_DUMPABLE = 4
_AGENT_SCORE, _STEP_SCORE = 500, 1000


def be_undumpable() -> None:
    """Close `/proc/1/fd`, `/proc/1/mem` and ptrace to the steps: they share our user id, not our line."""
    try:
        import ctypes  # noqa: PLC0415  (there are Pythons without it)

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        # A step could then write to our line, and so lie about its own job; about no other.
        return


class OomScore:
    """
    Where memory runs out, the kernel takes a step before the agent, and the agent before the supervisor.

    The agent raises its own score just before it forks and takes it back after: what is raised without privileges
    may be lowered to where it began, and once undumpable we may not write a child's.
    """

    def __init__(self) -> None:
        try:
            self._file = os.open("/proc/self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC)
            self._own = max(_AGENT_SCORE, int(os.read(self._file, 16)))
        except (OSError, ValueError):
            self._file = -1
        self.as_agent()

    def as_agent(self) -> None:
        """Be taken after the steps."""
        self._write(self._own if self._file >= 0 else 0)

    def as_step(self) -> None:
        """Be taken first; what is forked now inherits it."""
        self._write(_STEP_SCORE)

    def _write(self, score: int) -> None:
        if self._file < 0:
            return
        try:
            os.pwrite(self._file, b"%d" % score, 0)
        except OSError:
            return
