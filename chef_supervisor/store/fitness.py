"""What is known of the server's fitness: written by the guard of the store, read by whoever reports on health."""

from __future__ import annotations

import attrs

from chef_supervisor.store.answers import Preflight


@attrs.define(eq=False)
class Fitness:
    """`found`: by the last preflight, None before the first. `begun`: the process has started, and will not refuse."""

    found: Preflight | None = None
    begun: bool = False

    @property
    def refusals(self) -> tuple[str, ...]:
        """Returns: why no jobs are taken."""
        return () if self.found is None else self.found.refusals
