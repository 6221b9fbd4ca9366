"""Keeps the leases of this process: one registry on the main loop, which outlives the thread that renews them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import attrs

from chef_supervisor.domain.job import Fence, RunId
from chef_supervisor.leases.leases import Lease, OnLost
from chef_supervisor.leases.renewals import STALL_S, Renewals
from chef_supervisor.leases.thread import RenewalThread
from chef_supervisor.store.job_store import JobStore


@attrs.define(eq=False, kw_only=True)
class LeaseKeeper:
    """
    Implements `Leases`. What is held while no thread runs is renewed as soon as one does.

    `make_store`: the thread's own, so that its connection is, too.
    """

    make_store: Callable[[], JobStore]
    renew_s: float
    stall_s: float = STALL_S
    # Used on the main loop only.
    _held: dict[tuple[RunId, Fence], Lease] = attrs.field(factory=dict, init=False)
    _thread: RenewalThread | None = attrs.field(default=None, init=False)

    def hold(self, run: RunId, fence: Fence, on_lost: OnLost) -> None:
        """See `Leases`."""
        lease = self._held[run, fence] = Lease(run, fence, on_lost)
        if self._thread is not None:
            self._hand_over(self._thread, lease)

    def drop(self, run: RunId, fence: Fence) -> None:
        """See `Leases`."""
        if self._held.pop((run, fence), None) is not None and self._thread is not None:
            self._thread.later(self._thread.renewals.drop, run, fence)

    def renew_soon(self) -> None:
        """See `Leases`."""
        if self._thread is not None:
            self._thread.call(self._thread.renewals.renew_soon)

    def turned(self) -> None:
        """Note that the main loop turns; where this is not told for `stall_s`, renewals pause."""
        if self._thread is not None:
            self._thread.call(self._thread.renewals.turned)

    async def keep(self) -> None:
        """
        Renew in a thread until cancelled, which ends the thread.

        Raises whatever ended the thread.
        """
        renewals = Renewals(store=self.make_store(), renew_s=self.renew_s, stall_s=self.stall_s)
        with ThreadPoolExecutor(1, thread_name_prefix="leases") as executor:
            self._thread = thread = RenewalThread(renewals)
            for lease in self._held.values():
                self._hand_over(thread, lease)
            # Of the executor for its future: it brings the error that ended the thread to this loop.
            ending = asyncio.get_running_loop().run_in_executor(executor, thread.run)
            try:
                await asyncio.wait({ending})
            finally:
                self._thread = None
                thread.stop()
                await asyncio.wait({ending})
        ending.result()

    def _hand_over(self, thread: RenewalThread, lease: Lease) -> None:
        main = asyncio.get_running_loop()

        def tell_main_loop() -> None:
            main.call_soon_threadsafe(self._lose, lease)

        thread.later(thread.renewals.hold, lease.run, lease.fence, tell_main_loop)

    def _lose(self, lease: Lease) -> None:
        # A thread that ended may have told it as well as its successor; and it may have been dropped since.
        if self._held.get((lease.run, lease.fence)) is lease:
            del self._held[lease.run, lease.fence]
            lease.on_lost()
