"""What time it is by the server's clock: tests say it, in production the server knows best and this is a guess."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs


@attrs.define(eq=False)
class ServerClock:
    """
    Makes the arguments `now_ms` and `latest_ms` of scripts.

    `now_ms` is for tests. `patience_s` is how long after its sending a command is still of use.
    """

    now_ms: Callable[[], int] | None
    patience_s: float
    # Server's time minus the loop's; None = not known yet.
    _ahead_ms: float | None = attrs.field(default=None, init=False)

    def now(self) -> str:
        """Returns: the time in tests; empty in production: the server takes its own."""
        return "" if self.now_ms is None else str(self.now_ms())

    def latest(self) -> str:
        """Returns: the time at which nobody waits any more for what is sent now; `0`, which is late, where unknown."""
        if self.now_ms is not None:
            return ""
        if self._ahead_ms is None:
            return "0"
        return str(int(_loop_ms() + self._ahead_ms + self.patience_s * 1000))

    def learn(self, server_ms: int) -> None:
        """Take the time that the server has just told."""
        self._ahead_ms = server_ms - _loop_ms()


def _loop_ms() -> float:
    return asyncio.get_running_loop().time() * 1000
