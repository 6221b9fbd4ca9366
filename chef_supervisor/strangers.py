"""
Receivers that the settings of this process do not have. What is for them waits: another process may know them, or this
one after its settings are mended; what is too old of it has its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Final

import attrs

from chef_supervisor.domain.subscriber import ReceiverName

log = logging.getLogger("chef.notifier")
# So often what is too old has its end.
_SWEEP_S: Final = 10.0
# Each once, and not every host that callbacks were ever made to.
_MOST_TOLD: Final = 20


@attrs.define(eq=False)
class Strangers:
    """`knows`: whether this process has that receiver. Times are of one clock, in seconds."""

    knows: Callable[[ReceiverName], bool]
    _seen: set[ReceiverName] = attrs.field(factory=set, init=False)
    _told: set[ReceiverName] = attrs.field(factory=set, init=False)
    _sweep_at_s: float = attrs.field(default=0.0, init=False)

    def __contains__(self, name: ReceiverName) -> bool:
        """Whether it was among those that were seen last."""
        return name in self._seen

    def see(self, due: Collection[ReceiverName]) -> None:
        """Take note of who has something due, and tell of those that are new here."""
        self._seen = {name for name in due if not self.knows(name)}
        for name in sorted(self._seen - self._told)[: _MOST_TOLD - len(self._told)]:
            self._told.add(name)
            extra = {"event": "receiver.unknown", "receiver": name}
            log.warning("what is for %s waits: the settings of this process have no such receiver", name, extra=extra)

    def wait_s(self, now_s: float) -> float:
        """Returns: when to look for what is too old; 0 for now."""
        return max(0.0, self._sweep_at_s - now_s)

    def swept(self, now_s: float) -> None:
        """All that were due had their turn."""
        if self._sweep_at_s <= now_s:
            self._sweep_at_s = now_s + _SWEEP_S
