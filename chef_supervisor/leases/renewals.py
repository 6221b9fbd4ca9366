"""Renews all leases that are held, round after round. Pure asyncio: `keeper` gives it a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final, Never

import attrs

from chef_supervisor.domain.errors import Bug, StoreUnavailable
from chef_supervisor.domain.job import Fence, RunId
from chef_supervisor.leases.leases import Lease, OnLost
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.leases")
# A main loop that is silent for longer is taken for dead.
STALL_S: Final = 60.0


@attrs.define(eq=False, kw_only=True)
class Renewals:
    """
    Implements `Leases`, on the loop that runs it.

    A round asks for all leases at once, which the store makes one call a queue. While Redis does not answer, leases
    are kept and asked for every `retry_s`; only an answer loses one. While the main loop has not turned for `stall_s`
    nothing is renewed: nobody would see to those jobs, so others shall have them.
    """

    store: JobStore
    renew_s: float
    retry_s: float = 0.5
    stall_s: float = STALL_S
    # Whoever holds and drops for others says so here, once a round.
    before_round: Callable[[], None] = lambda: None
    _held: dict[tuple[RunId, Fence], Lease] = attrs.field(factory=dict, init=False)
    _soon: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    # Written by turned() only; None until the first round.
    _turned_at: float | None = attrs.field(default=None, init=False)
    _stalled: bool = attrs.field(default=False, init=False)

    def hold(self, run: RunId, fence: Fence, on_lost: OnLost) -> None:
        """See `Leases`."""
        self._held[run, fence] = Lease(run, fence, on_lost)

    def drop(self, run: RunId, fence: Fence) -> None:
        """See `Leases`."""
        self._held.pop((run, fence), None)

    def renew_soon(self) -> None:
        """See `Leases`."""
        self._soon.set()

    def turned(self) -> None:
        """Note that the main loop turns."""
        self._turned_at = asyncio.get_running_loop().time()

    async def run(self) -> Never:
        """Renew, for ever."""
        self.turned()
        while True:
            all_answered = not self._is_stalled() and await self._round()
            await self._rest(self.renew_s if all_answered else min(self.retry_s, self.renew_s))

    async def _rest(self, rest_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await self._soon.wait()
        self._soon.clear()

    async def _round(self) -> bool:
        """Returns: whether all were answered."""
        self.before_round()
        async with asyncio.TaskGroup() as group:
            answers = [group.create_task(self._renew(lease)) for lease in self._held.values()]
        return all(answer.result() for answer in answers)

    async def _renew(self, lease: Lease) -> bool:
        try:
            ours = await self.store.renew(lease.run.job_id, lease.fence)
        except StoreUnavailable as error:
            # Kept: the project's code has no network, so a second run elsewhere harms nobody.
            log.debug("lease of %s was not renewed: %s", lease.run.job_id, error)
            return False
        except Bug as error:
            # What Redis holds of this one job is broken; the others' leases must not end for it.
            extra = {"event": "lease.refused", "job_id": lease.run.job_id}
            log.error("lease of %s cannot be renewed: %s", lease.run.job_id, error, extra=extra)  # noqa: TRY400
            return True
        if not ours:
            self._lose(lease)
        return True

    def _lose(self, lease: Lease) -> None:
        # Dropped while it was asked for, and perhaps held anew: then the answer is nobody's business.
        if self._held.get((lease.run, lease.fence)) is lease:
            del self._held[lease.run, lease.fence]
            lease.on_lost()

    def _is_stalled(self) -> bool:
        now = asyncio.get_running_loop().time()
        stalled = self._turned_at is not None and now - self._turned_at > self.stall_s
        if stalled and not self._stalled:
            extra = {"event": "service.stalled"}
            log.critical(
                "the event loop has not turned for %g s: leases are left to run out", self.stall_s, extra=extra
            )
        self._stalled = stalled
        return stalled
