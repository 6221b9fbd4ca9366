"""What a runner asks of whoever renews its lease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import attrs

from chef_supervisor.domain.job import Fence, RunId

OnLost: TypeAlias = Callable[[], None]


@attrs.frozen(eq=False)
class Lease:
    """One run's lease, and who is to be told of its loss."""

    run: RunId
    fence: Fence
    on_lost: OnLost


class Leases(Protocol):
    """Renews leases until they are dropped or lost. Used from the main loop; nothing waits."""

    def hold(self, run: RunId, fence: Fence, on_lost: OnLost) -> None:
        """Begin to renew. A stale fence ends it: `on_lost` is called once, on the main loop; never after `drop`."""

    def drop(self, run: RunId, fence: Fence) -> None:
        """
        Renew it no more; nothing happens where it is not held.

        The fence tells two runs of one number apart: a Redis that lost its last second gives that number again.
        """

    def renew_soon(self) -> None:
        """Renew all at once instead of when it is due: somebody heard that one may be lost."""
