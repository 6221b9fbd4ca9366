"""
The points of a job's way at which a fault can strike, each where two parts of the service meet.

The service knows nothing of them: its classes are wrapped in the process that is to be hurt.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from chef_supervisor.domain.work import BoxEnded, BoxEvent, StepStarted, Work
from chef_supervisor.kernel import Actor
from chef_supervisor.sandboxes.docker import lifecycle
from chef_supervisor.sandboxes.null import NullBox
from chef_supervisor.sandboxes.sandbox import Box, BoxOrder, Dependencies, Role
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.store.evaluate import Call, Evaluator
from chef_supervisor.store.redis_store import RedisJobStore
from chef_supervisor.workshop import Workshop
from tests.kit.fault import tenant

# The payload may be in Redis, where it was large; the script was not sent.
BEFORE_SUBMIT: Final = "before_submit"
# The script has done its work; the 201 was not sent.
AFTER_SUBMIT: Final = "after_submit"
# Of the store's answer: `before_claim` is also when there is nothing to claim.
AFTER_CLAIM: Final = "claimed"
# The run has begun; of its boxes there is none yet.
IN_RUN: Final = "in_run"
# Docker only: the container exists and is not started.
AFTER_CREATE: Final = "after_create"
AFTER_START: Final = "after_start"
# The first step runs.
MID_RUN: Final = "mid_run"
# The box has told its end; nobody has read what it told.
AFTER_EXIT: Final = "after_exit"
# All is read.
BEFORE_FINISH: Final = "before_finish"
AFTER_FINISH: Final = "after_finish"
# Of the outbox: something is due and is not on lease yet; it is, and nobody was told.
BEFORE_DELIVER: Final = "before_deliver"
AFTER_DELIVER: Final = "after_deliver"
# The receiver has answered; Redis does not know.
BEFORE_DELIVERED: Final = "before_delivered"
# Followed by the actor's name: `start_of_reaper`.
START_OF: Final = "start_of_"
Strike = Callable[[str], None]
_LOOK_S: Final = 0.02


def plant(strike: Strike, at: str) -> None:
    """Have `strike` called with the name of each point that the process comes by."""
    _around_scripts(strike)
    _after_claims(strike)
    _at_runs(strike)
    _after_create(strike)
    _in_boxes(strike)
    if at.startswith(START_OF):
        _at_start(at.removeprefix(START_OF), at, strike)


def hold(until: Path) -> None:
    """Let no box of the null sandbox end before that file is there."""
    real = NullBox.run

    async def held(self: NullBox, work: Work) -> AsyncIterator[BoxEvent]:
        async for event in real(self, work):
            if isinstance(event, BoxEnded):
                while not until.exists():  # noqa: ASYNC110, ASYNC240 - what ends it is another process
                    await asyncio.sleep(_LOOK_S)
            yield event

    NullBox.run = held  # type: ignore[method-assign]


def _around_scripts(strike: Strike) -> None:
    real = Evaluator.run

    async def run(self: Evaluator, call: Call, *args: Any, **kwargs: Any) -> Any:
        strike(f"before_{call.script.name}")
        answer = await real(self, call, *args, **kwargs)
        strike(f"after_{call.script.name}")
        return answer

    Evaluator.run = run  # type: ignore[method-assign]


def _after_claims(strike: Strike) -> None:
    real = RedisJobStore.claim

    async def claim(*args: Any, **kwargs: Any) -> Any:
        claims = await real(*args, **kwargs)
        # Dispatchers ask for what is not there, too.
        if claims:
            strike(AFTER_CLAIM)
        return claims

    RedisJobStore.claim = claim  # type: ignore[method-assign]


def _at_runs(strike: Strike) -> None:
    real = Workshop.performed

    def performed(self: Workshop, claim: Any, *args: Any, **kwargs: Any) -> Any:
        tenant.set(claim.tenant)
        strike(IN_RUN)
        return real(self, claim, *args, **kwargs)

    Workshop.performed = performed  # type: ignore[method-assign]


def _after_create(strike: Strike) -> None:
    real = lifecycle.create

    def create(*args: Any, **kwargs: Any) -> str:
        container = real(*args, **kwargs)
        if inspect.signature(real).bind(*args, **kwargs).arguments["order"].role is Role.JOB:
            strike(AFTER_CREATE)
        return container

    lifecycle.create = create


def _in_boxes(strike: Strike) -> None:
    real = WatchedSandbox.box

    @asynccontextmanager
    async def box(self: WatchedSandbox, order: BoxOrder, dependencies: Dependencies | None) -> AsyncIterator[Box]:
        async with real(self, order, dependencies) as started:
            if order.role is Role.INSTALL:
                yield started
                return
            strike(AFTER_START)
            yield _Box(started, strike)

    WatchedSandbox.box = box  # type: ignore[method-assign]


@attrs.frozen
class _Box:
    real: Box
    strike: Strike

    async def run(self, work: Work) -> AsyncIterator[BoxEvent]:
        async for event in self.real.run(work):
            if event == StepStarted(0):
                self.strike(MID_RUN)
            if isinstance(event, BoxEnded):
                self.strike(AFTER_EXIT)
            yield event


def _at_start(name: str, point: str, strike: Strike) -> None:
    module = importlib.import_module(f"chef_supervisor.actors.{name}")
    [actor] = [
        found
        for found in vars(module).values()
        if inspect.isclass(found) and issubclass(found, Actor) and found.__module__ == module.__name__
    ]
    real = actor.on_start

    async def on_start(self: Any) -> None:
        strike(point)
        await real(self)

    actor.on_start = on_start  # type: ignore[method-assign]
