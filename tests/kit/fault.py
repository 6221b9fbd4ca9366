"""One fault: what happens, and when. Where it can be planted is in `seams`."""

from __future__ import annotations

import enum
import os
import signal
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Final

import attrs

EXIT_CODE: Final = 99
# Whose job the calling task does; known from the moment its run begins.
tenant: Final[ContextVar[str]] = ContextVar("tenant", default="")


class Deed(enum.StrEnum):
    """What happens."""

    KILL = "kill"  # SIGKILL, as the kernel's OOM killer or a power cut
    EXIT = "exit"  # the process ends without any of its `finally`
    STALL = "stall"  # the event loop stands still
    RAISE = "raise"  # a bug


@attrs.frozen(kw_only=True)
class Fault:
    """
    Strikes whenever the process comes by `at`.

    `once`: a file that is made by the first strike; from then on, also in later processes, nothing happens.
    `only`: the tenant whose jobs it strikes; empty = all.
    """

    at: str
    deed: Deed
    stall_s: float = 0.0
    once: Path | None = None
    only: str = ""

    def strike(self, point: str) -> None:
        """Do the deed where this is the point, and the time."""
        if point == self.at and self.only in {"", tenant.get()} and self._first():
            self._do(point)

    def _first(self) -> bool:
        if self.once is None:
            return True
        try:
            self.once.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _do(self, point: str) -> None:
        match self.deed:
            case Deed.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Deed.EXIT:
                os._exit(EXIT_CODE)
            case Deed.STALL:
                time.sleep(self.stall_s)
            case Deed.RAISE:
                msg = f"planted at {point}"
                raise RuntimeError(msg)
