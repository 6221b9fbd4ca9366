"""Removes what was left behind, and tells of what does not go."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.job import RunId
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind
from chef_supervisor.sandboxes.sandbox import Role
from chef_supervisor.sandboxes.watched import WatchedSandbox

_log: Final = logging.getLogger(__name__)
# Live boxes share the engine's threads with this.
_AT_ONCE: Final = 4
_TRIES_UNTIL_QUARANTINE: Final = 3


def of_instance(leftovers: Iterable[Leftover], mark: str) -> list[Leftover]:
    """Returns: what an earlier process of that instance left; only for whoever holds its lock."""
    return [leftover for leftover in leftovers if leftover.instance == mark or leftover.kind is LeftoverKind.FOLDER]


def of_realm(leftovers: Iterable[Leftover], realm: str) -> list[Leftover]:
    """
    Returns: what is of a run of that realm, and is an orphan unless the run holds its job; and boxes that were started
    ahead of need and ended: whoever starts them is at their other end while it lives.
    """
    ours = [leftover for leftover in leftovers if realm and leftover.realm == realm]
    return [leftover for leftover in ours if leftover.run is not None or (leftover.role == Role.WARM and leftover.over)]


def orphans(leftovers: Iterable[Leftover], owned: Collection[RunId]) -> list[Leftover]:
    """Returns: what is of no run that holds its job."""
    return [leftover for leftover in leftovers if leftover.run not in owned]


class Sweeper:
    """Remembers what it could not remove, so that it is told of once; it is tried again whenever it comes by."""

    def __init__(self, sandbox: WatchedSandbox) -> None:
        self._sandbox = sandbox
        self._failures: Counter[str] = Counter()

    async def remove(self, leftovers: Collection[Leftover]) -> None:
        """Remove them: first what uses others, then what was used. What is not among them any more is gone."""
        for handle in self._failures.keys() - {leftover.handle for leftover in leftovers}:
            del self._failures[handle]
        by_kind = {kind: [leftover for leftover in leftovers if leftover.kind is kind] for kind in LeftoverKind}
        for of_one_kind in by_kind.values():
            some = asyncio.Semaphore(_AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for leftover in of_one_kind:
                    group.create_task(self._remove(leftover, some))

    async def _remove(self, leftover: Leftover, some: asyncio.Semaphore) -> None:
        async with some:
            try:
                await self._sandbox.remove(leftover)
            except SandboxUnavailable as error:
                self._tell_failed(leftover, error)
                return
        self._failures.pop(leftover.handle, None)
        _log.info(
            "%s was left behind; it is removed", _named(leftover), extra={"event": "orphan.removed", **_told(leftover)}
        )

    def _tell_failed(self, leftover: Leftover, error: SandboxUnavailable) -> None:
        self._failures[leftover.handle] += 1
        if self._failures[leftover.handle] == _TRIES_UNTIL_QUARANTINE:
            sentence = "%s cannot be removed; look at its engine. It holds no slot, and is tried again: %s"
            _log.error(sentence, _named(leftover), error.reason, extra={"event": "box.quarantined", **_told(leftover)})


def _named(leftover: Leftover) -> str:
    return f"{leftover.kind} {leftover.handle}"


def _told(leftover: Leftover) -> dict[str, object]:
    run = {} if leftover.run is None else {"job_id": leftover.run.job_id, "run": leftover.run.number}
    return {"handle": leftover.handle, "kind": str(leftover.kind), "role": leftover.role, **run}
