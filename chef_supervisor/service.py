"""One process of the service: makes the adapters, runs the tree on them, and turns signals into an ordered stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final, Never

import attrs
import uvloop

from chef_supervisor.api.dependencies import HealthSource
from chef_supervisor.api.process_health import ProcessHealth
from chef_supervisor.assembly import (
    api_store_config,
    choose_sandbox,
    known_toolchains,
    make_artifacts,
    make_receivers,
    make_sealer,
    make_workshop,
    store_config,
)
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.instance import Instance, take_instance
from chef_supervisor.kernel import ChildStuck, RestartsExhausted, StartFailed, run_tree
from chef_supervisor.leases.keeper import LeaseKeeper
from chef_supervisor.leaving import leave, leave_after
from chef_supervisor.parts import Parts
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import Role, Settings
from chef_supervisor.store.embedded import EmbeddedRedis
from chef_supervisor.store.redis_store import RedisJobStore
from chef_supervisor.tree import make_tree
from chef_supervisor.vitals import Vitals
from chef_supervisor.webhooks.receivers import Receivers
from chef_supervisor.workshop import Workshop

log = logging.getLogger("chef.service")
_EXIT_CODE_OF_A_SECOND_SIGNAL: Final = 1
# Beyond the grace of the runners, for all that stops after them. Compose waits 45 s in all, 15 s more than the grace.
_LEAVE_S: Final = 10.0
# Some ten megabytes at most, if all of it were garbage.
_OBJECTS_BETWEEN_LOOKS: Final = 20_000


def run(settings: Settings, *, embedded_redis: bool) -> int:
    """
    Run the service until SIGTERM or SIGINT; a second one ends the process at once, as `kill -9` would.

    One that comes before there is anything to stop ends the process with 0, whatever the start is waiting for.

    Returns: the exit code: 0 after an ordered stop, 70 where the tree gave up.

    Raises:
        Misconfigured: nothing can run jobs here, another process is this instance, the port is taken, or a file that
            the settings name is missing.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, embedded_redis=embedded_redis))


async def _serve(settings: Settings, *, embedded_redis: bool) -> int:
    _on_signals(_leave_before_the_start)
    _tell(settings)
    redis = EmbeddedRedis(Path(settings.process.state_dir) / "redis") if embedded_redis else None
    if redis is not None:
        settings = _with_embedded(settings, redis)
    async with AsyncExitStack() as stack:
        instance = _instance(settings, stack)
        store = RedisJobStore(store_config(settings, instance))
        stack.push_async_callback(store.close)
        api_store = RedisJobStore(api_store_config(settings))
        stack.push_async_callback(api_store.close)
        vitals = Vitals()
        artifacts = make_artifacts(settings, api_store.identity)
        make = partial(make_workshop, settings, artifacts=artifacts, results=store)
        workshop, health = await _workshop(settings, stack, instance, vitals, make)
        receivers, changed = await _receivers(settings, stack), asyncio.Event()
        for one in (store, api_store):
            one.on_change = lambda _queue: changed.set()
        stop = _stop_on_signals(settings.worker.grace_s + _LEAVE_S)
        parts = Parts(
            settings=settings,
            store=store,
            api_store=api_store,
            artifacts=artifacts,
            workshop=workshop,
            mark=instance.mark if instance else "",
            toolchains=known_toolchains(),
            sealer=make_sealer(settings),
            receivers=receivers,
            outbox_changed=changed,
            redis=redis,
            leases=_leases(settings),
            vitals=vitals,
            health=health,
            draining=stop.is_set,
        )
        _look_for_garbage_seldom()
        return await _run_tree(parts, stop)


def _look_for_garbage_seldom() -> None:
    # What is there now stays. Of what a request makes next to nothing is cyclic, so that looking at it costs far more
    # time than it frees memory.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)


def _leases(settings: Settings) -> LeaseKeeper:
    return LeaseKeeper(make_store=lambda: RedisJobStore(store_config(settings)), renew_s=settings.queue.renew_s)


def _with_embedded(settings: Settings, redis: EmbeddedRedis) -> Settings:
    # It has no password and one database: its socket lies in a folder that is ours alone.
    own = attrs.evolve(settings.redis, unix_socket=str(redis.socket_path), username="", password="", database=0)
    return attrs.evolve(settings, redis=own)


def _instance(settings: Settings, stack: AsyncExitStack) -> Instance | None:
    if settings.process.role is Role.API:
        return None
    instance = take_instance(Path(settings.process.state_dir), settings.process.instance)
    stack.callback(instance.release)
    return instance


async def _receivers(settings: Settings, stack: AsyncExitStack) -> Receivers | None:
    if settings.process.role is Role.API:
        return None
    receivers = make_receivers(settings)
    stack.push_async_callback(receivers.close)
    return receivers


async def _workshop(
    settings: Settings,
    stack: AsyncExitStack,
    instance: Instance | None,
    vitals: Vitals,
    make: Callable[[WatchedSandbox], Workshop],
) -> tuple[Workshop | None, HealthSource]:
    if instance is None:
        return None, ProcessHealth(
            sandbox="none", sandbox_reason="this process takes jobs in and runs none", vitals=vitals
        )
    chosen = await choose_sandbox(settings, instance)
    sandbox = WatchedSandbox(chosen.sandbox)
    stack.push_async_callback(sandbox.close)
    extra = {"event": "sandbox.chosen", "sandbox": sandbox.name, "instance": instance.mark}
    log.info("sandbox: %s, because %s", sandbox.name, chosen.reason, extra=extra)

    health = ProcessHealth(
        sandbox=sandbox.name,
        sandbox_reason=chosen.reason,
        vitals=vitals,
        trouble=lambda: sandbox.trouble,
        dispatches=True,
    )
    return make(sandbox), health


async def _run_tree(parts: Parts, stop: asyncio.Event) -> int:
    try:
        await run_tree(make_tree(parts), stop)
    except ChildStuck as error:
        log.critical("%s; the process ends now", error, extra={"event": "service.stuck"})
        # The stuck task would keep the loop from closing; leases and the sandboxes' own deaths make this safe.
        leave(os.EX_SOFTWARE)
    except (RestartsExhausted, StartFailed) as error:
        _raise_if_misconfigured(error)
        log.critical("the service gives up: %s", error, extra={"event": "service.failed"})
        return os.EX_SOFTWARE
    log.info("stopped", extra={"event": "service.stopped"})
    return os.EX_OK


def _raise_if_misconfigured(error: BaseException) -> None:
    """A port that is taken, a folder in use: the actor that could not start says so in the chain of causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Misconfigured):
            raise cause
        cause = cause.__cause__


def _tell(settings: Settings) -> None:
    log.info(
        "settings: %s",
        settings,
        extra={"event": "service.settings", "pid": os.getpid(), "state_dir": settings.process.state_dir},
    )


def _stop_on_signals(within_s: float) -> asyncio.Event:
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            leave(_EXIT_CODE_OF_A_SECOND_SIGNAL)
        log.info("stopping: no new jobs; running ones get their grace", extra={"event": "service.stopping"})
        stop.set()
        leave_after(within_s)

    _on_signals(on_signal)
    return stop


def _leave_before_the_start() -> Never:
    # Nothing is held yet but the lock of the instance, which the kernel gives back; an engine may take long to answer.
    log.info("stopped before the start", extra={"event": "service.stopped"})
    leave(os.EX_OK)


def _on_signals(handle: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, handle)
