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

from chef_supervisor.actors.runner import Workshop
from chef_supervisor.api.dependencies import HealthReport
from chef_supervisor.kernel import ChildStuck, RestartsExhausted, StartFailed, run_tree
from chef_supervisor.settings import Role, Settings
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.embedded import EmbeddedRedis
from chef_supervisor.store.redis_store import RedisJobStore
from chef_supervisor.tree import Parts, make_tree
from chef_supervisor.workshop import choose_sandbox, make_workshop

log = logging.getLogger("chef.service")
_EXIT_CODE_OF_A_SECOND_SIGNAL: Final = 1


def run(settings: Settings, *, embedded_redis: bool) -> int:
    """
    Run the service until SIGTERM or SIGINT; a second one ends the process at once, as `kill -9` would.

    Returns: the exit code: 0 after an ordered stop, 70 where the tree gave up.

    Raises:
        Misconfigured: nothing can run jobs here, or a file that the settings name is missing.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, embedded_redis=embedded_redis))


async def _serve(settings: Settings, *, embedded_redis: bool) -> int:
    stop = _stop_on_signals()
    _tell(settings)
    redis = EmbeddedRedis(Path(settings.process.state_dir) / "redis") if embedded_redis else None
    if redis is not None:
        settings = attrs.evolve(settings, redis=attrs.evolve(settings.redis, unix_socket=str(redis.socket_path)))
    async with AsyncExitStack() as stack:
        store = RedisJobStore(store_config(settings))
        stack.push_async_callback(store.close)
        workshop, health = await _workshop(settings, store, stack)
        parts = Parts(
            settings=settings, store=store, workshop=workshop, redis=redis, health=health, draining=stop.is_set
        )
        return await _run_tree(parts, stop)


async def _workshop(
    settings: Settings, store: RedisJobStore, stack: AsyncExitStack
) -> tuple[Workshop | None, HealthReport]:
    if settings.process.role is Role.API:
        return None, HealthReport(sandbox="none", sandbox_reason="this process takes jobs in and runs none")
    chosen = await choose_sandbox(settings, instance=secrets.token_hex(4))
    stack.push_async_callback(chosen.sandbox.close)
    extra = {"event": "sandbox.chosen", "sandbox": chosen.sandbox.name}
    log.info("sandbox: %s, because %s", chosen.sandbox.name, chosen.reason, extra=extra)
    health = HealthReport(sandbox=chosen.sandbox.name, sandbox_reason=chosen.reason)
    return make_workshop(settings, store, chosen.sandbox), health


def store_config(settings: Settings) -> StoreConfig:
    redis, queue, retention = settings.redis, settings.queue, settings.retention
    return StoreConfig(
        host=redis.host,
        port=redis.port,
        username=redis.username or None,
        password=redis.password or None,
        database=redis.database,
        unix_socket=redis.unix_socket or None,
        key_prefix=redis.key_prefix,
        command_timeout_s=redis.command_timeout_s,
        queues=tuple(settings.queues),
        max_jobs=queue.max_jobs,
        max_bytes=queue.max_bytes,
        lease_s=queue.lease_s,
        max_ruined_runs=queue.max_ruined_runs,
        keep_jobs=retention.max_jobs,
        keep_s=retention.max_age_s,
        keep_bytes=retention.max_bytes,
    )


async def _run_tree(parts: Parts, stop: asyncio.Event) -> int:
    try:
        await run_tree(make_tree(parts), stop)
    except ChildStuck as error:
        log.critical("%s; the process ends now", error, extra={"event": "service.stuck"})
        logging.shutdown()
        # The stuck task would keep the loop from closing; leases and the sandboxes' own deaths make this safe.
        os._exit(os.EX_SOFTWARE)
    except (RestartsExhausted, StartFailed) as error:
        log.critical("the service gives up: %s", error, extra={"event": "service.failed"})
        return os.EX_SOFTWARE
    log.info("stopped", extra={"event": "service.stopped"})
    return os.EX_OK


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
