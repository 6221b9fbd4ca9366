"""Whether this process can work on, from its signs of life: what health tells beside whether Redis takes jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import attrs

from chef_supervisor.api.dependencies import HealthReport
from chef_supervisor.vitals import Vitals

# The dispatcher beats every second, and the loop turns hundreds of times in one: well past any busy machine's hiccup.
_SILENCE_S: Final = 10.0
_LAG_S: Final = 5.0


def _no_trouble() -> str | None:
    return None


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@attrs.define(eq=False, kw_only=True)
class ProcessHealth:
    """
    A `HealthSource`.

    `dispatches`: this process has a dispatcher. `trouble`: a sentence while the sandbox starts nothing. `now` is the
    clock of `vitals`.
    """

    sandbox: str
    sandbox_reason: str
    vitals: Vitals
    dispatches: bool = False
    trouble: Callable[[], str | None] = _no_trouble
    now: Callable[[], float] = _loop_time
    # A dispatcher that has not begun yet is not silent; one that never does is.
    _since: float = attrs.field(init=False)

    @_since.default
    def _now(self) -> float:
        return self.now()

    def __call__(self) -> HealthReport:
        """Returns: how it is now."""
        trouble = self.trouble()
        return HealthReport(
            sandbox=self.sandbox,
            sandbox_reason=self.sandbox_reason,
            faults=(*self._silence(), *self._lag()),
            reasons=() if trouble is None else (trouble,),
        )

    def _silence(self) -> tuple[str, ...]:
        heard_at = self.vitals.dispatched_at
        silent_s = self.now() - (self._since if heard_at is None else heard_at)
        if not self.dispatches or silent_s <= _SILENCE_S:
            return ()
        return (f"the dispatcher has not turned for {silent_s:.0f} s, so no job is taken up",)

    def _lag(self) -> tuple[str, ...]:
        lag_s = self.vitals.loop_lag_s(self.now())
        return () if lag_s <= _LAG_S else (f"the process stood still for {lag_s:.0f} s a moment ago",)
