"""
A sandbox that knows whether it works now, so that claims can pause while it does not.

It never guesses from a box that failed: only the sandbox's own word says that boxes can, or cannot, be started. A ping
that fails is trouble; what ends trouble is a probe, which does what a box needs: an engine with a full disk still pings.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.job import RunId
from chef_supervisor.domain.shelf import Shelf
from chef_supervisor.sandboxes.leftover import Leftover
from chef_supervisor.sandboxes.sandbox import Box, BoxOrder, Dependencies, Limits, Sandbox

_log: Final = logging.getLogger(__name__)
# Boxes that were spoilt together ask one after the other; a probe that passed so lately answers all of them.
_FRESH_S: Final = 1.0


class WatchedSandbox:
    """
    Any sandbox, and whether boxes can be started in it.

    Nothing runs in the background, unless somebody runs `keep_watch`: whoever asks does the probing, one at a time, and
    a cancelled one hands it on.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        ping_timeout_s: float = 5.0,
        probe_timeout_s: float = 10.0,
        first_pause_s: float = 1.0,
        longest_pause_s: float = 15.0,
    ) -> None:
        self.name = sandbox.name
        self._sandbox = sandbox
        self._ping_timeout_s = ping_timeout_s
        self._probe_timeout_s = probe_timeout_s
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._pause_s = first_pause_s
        self._trouble: str | None = None
        self._probed_at = float("-inf")
        self._probes = 0
        self._probing = asyncio.Lock()
        self._recovering = asyncio.Lock()
        self._well = asyncio.Event()

    @property
    def trouble(self) -> str | None:
        """Returns: a sentence while boxes cannot be started; None while they can."""
        return self._trouble

    async def is_away(self) -> bool:
        """
        Find out, for a box that was spoilt, whose fault it was; a probe that passed just now is believed.

        Returns: True when boxes cannot be started, which is `trouble` from now on; False when the fault was the job's.
        """
        if self._trouble is None and _now_s() - self._probed_at < _FRESH_S:
            return False
        await self._look()
        return self._trouble is not None

    async def recovered(self) -> None:
        """Return when boxes can be started: at once, or when a probe passes; pauses between probes grow."""
        # Those who wait for the lock wait for the one who probes; it wakes them by leaving.
        async with self._recovering:
            while self._trouble is not None:
                if not await self._heals_by(self._probed_at + self._pause_s):
                    # The pause stays with the trouble: who takes over from a cancelled waiter does not begin again.
                    self._pause_s = min(2 * self._pause_s, self._longest_pause_s)
                    await self._look()

    async def keep_watch(self, every_s: float) -> None:
        """Returns: when trouble came, from a ping of ours every so often or from anybody's probe, and is over again."""
        while self._trouble is None:
            await asyncio.sleep(every_s)
            await self._glance()
        await self.recovered()

    def belong_to(self, realm: str) -> None:
        """Mark what is made from now on as one store's."""
        self._sandbox.belong_to(realm)

    async def ping(self) -> None:
        """
        Check that whoever makes boxes is there; `trouble` is not touched.

        Raises:
            SandboxUnavailable: nobody is; the reason says what to do.
        """
        await self._sandbox.ping()

    async def leftovers(self) -> Sequence[Leftover]:
        """
        Returns: what the sandbox returns.

        Raises:
            SandboxUnavailable: they cannot be listed now.
        """
        return await self._sandbox.leftovers()

    async def remove(self, leftover: Leftover) -> None:
        """
        Remove it.

        Raises:
            SandboxUnavailable: it is still there, as far as can be told.
        """
        await self._sandbox.remove(leftover)

    async def probe(self) -> None:
        """
        Check that boxes can be started; `trouble` is not touched.

        Raises:
            SandboxUnavailable: they cannot; the reason says what to do.
        """
        await self._sandbox.probe()

    @property
    def shelf(self) -> Shelf:
        """Returns: the sandbox's."""
        return self._sandbox.shelf

    def dependencies(self, name: str, run: RunId | None = None) -> AbstractAsyncContextManager[Dependencies]:
        """Returns: what the sandbox returns."""
        return self._sandbox.dependencies(name, run)

    def box(self, order: BoxOrder, dependencies: Dependencies | None) -> AbstractAsyncContextManager[Box]:
        """
        Start a box of the sandbox.

        Raises:
            SandboxUnavailable: it was not started; `is_away` says whether any would be.
        """
        return self._sandbox.box(order, dependencies)

    async def keep_warm(self, limits: Limits, count: int) -> None:
        """Keep so many boxes started ahead of need, until cancelled, whenever the sandbox can."""
        done = not count
        while not done:
            try:
                await self._sandbox.keep_warm(limits, count)
                done = True
            except SandboxUnavailable as error:
                _log.debug("no boxes are started ahead of need: %s", error)
                # Not at once, where only these cannot be started.
                await asyncio.sleep(self._longest_pause_s)
                await self.recovered()

    async def close(self) -> None:
        """Close the sandbox."""
        await self._sandbox.close()

    async def _look(self) -> None:
        """Bring `trouble` up to date by a probe; one that is under way does for all who come meanwhile."""
        before = self._probes
        async with self._probing:
            # A probe that was cancelled did not count: the next in line begins another.
            if self._probes == before:
                trouble = await self._within(self._probe_timeout_s, self._sandbox.probe)
                self._probes += 1
                self._probed_at = _now_s()
                self._settle(trouble)

    async def _glance(self) -> None:
        """Let a ping that fails begin trouble. It ends none, so it is not made while there is some."""
        async with self._probing:
            if self._trouble is not None:
                return
            trouble = await self._within(self._ping_timeout_s, self._sandbox.ping)
            if trouble is not None:
                self._probed_at = _now_s()
                self._settle(trouble)

    async def _within(self, timeout_s: float, check: Callable[[], Awaitable[None]]) -> str | None:
        try:
            async with asyncio.timeout(timeout_s):
                await check()
        except SandboxUnavailable as error:
            return str(error)
        except TimeoutError:
            return str(SandboxUnavailable(f"{self.name} did not answer within {timeout_s:g} s"))
        return None

    def _settle(self, trouble: str | None) -> None:
        had_trouble, self._trouble = self._trouble is not None, trouble
        if trouble is None:
            self._well.set()
            if had_trouble:
                _log.info("boxes can be started again", extra={"event": "sandbox.back", "sandbox": self.name})
        elif not had_trouble:
            self._well.clear()
            self._pause_s = self._first_pause_s
            _log.warning("claims pause: %s", trouble, extra={"event": "sandbox.away", "sandbox": self.name})

    async def _heals_by(self, deadline: float) -> bool:
        """Returns: whether somebody else's probe ended the trouble before `deadline`."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._well.wait()
        except TimeoutError:
            return False
        return True


def _now_s() -> float:
    return asyncio.get_running_loop().time()
