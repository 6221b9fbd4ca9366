"""
Watches that the server behind the store can keep what is promised: at start, and for as long as the process lives.

At start an unfit server is a fault of the configuration. Later it is not: another one may have taken over for a while,
and jobs that run still need theirs. So the process goes on then, takes no new jobs, and says why.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Never

import attrs

from chef_supervisor.domain.errors import Misconfigured, StoreUnavailable
from chef_supervisor.kernel import Actor
from chef_supervisor.store.answers import Preflight
from chef_supervisor.store.fitness import Fitness
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.store")
_INTERVAL_S: Final = 5.0


@attrs.define(eq=False, kw_only=True)
class StoreGuard(Actor[Never]):
    """Looks once an interval, so that an unfit server is given jobs no longer than that."""

    store: JobStore
    fitness: Fitness
    interval_s: float = _INTERVAL_S

    async def on_start(self) -> None:
        """
        Look for the first time; a server that does not answer is looked at when it does.

        Raises:
            Misconfigured: the process has just started, and the server is not fit.
        """
        await self._look()
        if not self.fitness.begun and self.fitness.refusals:
            raise Misconfigured(self.fitness.refusals)
        self.fitness.begun = True
        self._tell_refusals(())
        self.ctx.spawn(self._rounds(), name="rounds")

    async def receive(self, message: object) -> None:
        """Nobody tells it anything."""

    async def _rounds(self) -> None:
        while True:
            await asyncio.sleep(self.interval_s)
            before = self.fitness.refusals
            await self._look()
            self._tell_refusals(before)

    async def _look(self) -> None:
        try:
            found = await self.store.preflight()
        except StoreUnavailable as error:
            log.debug("Redis was not looked at: %s", error)
            return
        before, self.fitness.found = self.fitness.found, found
        _tell(before, found)

    def _tell_refusals(self, before: tuple[str, ...]) -> None:
        now = self.fitness.refusals
        if now and now != before:
            log.error("no jobs are taken: %s", "; ".join(now), extra={"event": "store.unfit"})
        elif before and not now:
            log.info("jobs are taken again", extra={"event": "store.fit"})


def _tell(before: Preflight | None, found: Preflight) -> None:
    """Once for each thing that is new."""
    if before is None or before.loss != found.loss:
        log.info("a crash of Redis %s", found.loss, extra={"event": "store.checked"})
    for warning in found.warnings:
        if before is None or warning not in before.warnings:
            log.warning("%s", warning, extra={"event": "store.advice"})
