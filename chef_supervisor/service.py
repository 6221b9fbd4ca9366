"""One process of the service: makes the adapters, runs the tree on them, and turns signals into an ordered stop."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import attrs
import uvloop

from chef_supervisor.api.dependencies import HealthReport, HealthSource
from chef_supervisor.assembly import choose_sandbox, make_workshop, store_config
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.kernel import ChildStuck, RestartsExhausted, StartFailed, run_tree
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import Role, Settings
from chef_supervisor.store.embedded import EmbeddedRedis
from chef_supervisor.store.redis_store import RedisJobStore
from chef_supervisor.tree import Parts, make_tree
from chef_supervisor.workshop import Workshop

log = logging.getLogger("chef.service")
_EXIT_CODE_OF_A_SECOND_SIGNAL: Final = 1


def run(settings: Settings, *, embedded_redis: bool) -> int:
    """
    Run the service until SIGTERM or SIGINT; a second one ends the process at once, as `kill -9` would.

    Returns: the exit code: 0 after an ordered stop, 70 where the tree gave up.

    Raises:
        Misconfigured: nothing can run jobs here, the port is taken, or a file that the settings name is missing.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, embedded_redis=embedded_redis))


async def _serve(settings: Settings, *, embedded_redis: bool) -> int:
    stop = _stop_on_signals()
    _tell(settings)
    redis = EmbeddedRedis(Path(settings.process.state_dir) / "redis") if embedded_redis else None
    if redis is not None:
        settings = _with_embedded(settings, redis)
    async with AsyncExitStack() as stack:
        store = RedisJobStore(store_config(settings))
        stack.push_async_callback(store.close)
        workshop, health = await _workshop(settings, stack)
        parts = Parts(
            settings=settings, store=store, workshop=workshop, redis=redis, health=health, draining=stop.is_set
        )
        return await _run_tree(parts, stop)


def _with_embedded(settings: Settings, redis: EmbeddedRedis) -> Settings:
    # It has no password and one database: its socket lies in a folder that is ours alone.
    own = attrs.evolve(settings.redis, unix_socket=str(redis.socket_path), username="", password="", database=0)
    return attrs.evolve(settings, redis=own)


async def _workshop(settings: Settings, stack: AsyncExitStack) -> tuple[Workshop | None, HealthSource]:
    if settings.process.role is Role.API:
        none = HealthReport(sandbox="none", sandbox_reason="this process takes jobs in and runs none")
        return None, lambda: none
    instance = secrets.token_hex(4)
    chosen = await choose_sandbox(settings, instance)
    sandbox = WatchedSandbox(chosen.sandbox)
    stack.push_async_callback(sandbox.close)
    extra = {"event": "sandbox.chosen", "sandbox": sandbox.name, "instance": instance}
    log.info("sandbox: %s, because %s", sandbox.name, chosen.reason, extra=extra)

    def health() -> HealthReport:
        reasons = () if sandbox.trouble is None else (sandbox.trouble,)
        return HealthReport(sandbox=sandbox.name, sandbox_reason=chosen.reason, reasons=reasons)

    return make_workshop(settings, sandbox), health


async def _run_tree(parts: Parts, stop: asyncio.Event) -> int:
    try:
        await run_tree(make_tree(parts), stop)
    except ChildStuck as error:
        log.critical("%s; the process ends now", error, extra={"event": "service.stuck"})
        logging.shutdown()
        # The stuck task would keep the loop from closing; leases and the sandboxes' own deaths make this safe.
        os._exit(os.EX_SOFTWARE)
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


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            logging.shutdown()
            os._exit(_EXIT_CODE_OF_A_SECOND_SIGNAL)
        log.info("stopping: no new jobs; running ones get their grace", extra={"event": "service.stopping"})
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop
