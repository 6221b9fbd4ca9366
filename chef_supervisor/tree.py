"""The supervision tree as data: which actors there are, in which order they start, and what a death means."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import attrs

from chef_supervisor.actors.dispatcher import Dispatcher
from chef_supervisor.actors.embedded_redis import EmbeddedRedisKeeper
from chef_supervisor.actors.pool import Pool
from chef_supervisor.actors.reaper import Reaper
from chef_supervisor.actors.runner import Runner, Workshop
from chef_supervisor.api.actor import ApiActor
from chef_supervisor.api.app import make_app
from chef_supervisor.api.dependencies import ApiDependencies, HealthReport
from chef_supervisor.api.feed import EventFeed
from chef_supervisor.api.server import Server
from chef_supervisor.domain.job import QueueName
from chef_supervisor.domain.slots import Slots
from chef_supervisor.kernel import (
    ActorGone,
    AnySpec,
    ChildSpec,
    DynamicSpec,
    MailboxFull,
    Ref,
    Strategy,
    SupervisorSpec,
)
from chef_supervisor.protocol import DispatcherMessage, PoolMessage, WorkArrived
from chef_supervisor.settings import Role, Settings
from chef_supervisor.store.embedded import EmbeddedRedis
from chef_supervisor.store.job_store import JobStore

# The last open streams and long polls end within it.
_API_SHUTDOWN_S = 10.0
_REDIS_SHUTDOWN_S = 15.0


@attrs.frozen(kw_only=True)
class Parts:
    """
    What the tree is made of.

    `workshop` is None where this process runs no jobs; `redis` where somebody else keeps it.
    """

    settings: Settings
    store: JobStore
    workshop: Workshop | None
    redis: EmbeddedRedis | None
    health: HealthReport
    draining: Callable[[], bool]


def make_tree(parts: Parts) -> SupervisorSpec:
    """
    Returns: the whole tree of a process of that role.

    Restart budgets multiply over the levels, so the root's is small: a fault that survives the levels below it is a
    fault that a restart does not heal.
    """
    dispatcher: Ref[DispatcherMessage] = Ref("dispatcher", capacity=64 + 4 * parts.settings.worker.max_concurrent)
    children: list[AnySpec] = []
    if parts.redis is not None:
        children.append(_redis(parts.redis))
    if parts.settings.process.role is not Role.WORKER:
        children.append(_api(parts, dispatcher))
    if parts.workshop is not None:
        children += [_engine(parts, parts.workshop, dispatcher), _reaper(parts)]
    return SupervisorSpec("root", tuple(children), max_restarts=3, period_s=300.0)


def _redis(redis: EmbeddedRedis) -> ChildSpec:
    return ChildSpec(Ref("redis"), build=lambda: EmbeddedRedisKeeper(redis=redis), shutdown_s=_REDIS_SHUTDOWN_S)


def _api(parts: Parts, dispatcher: Ref[DispatcherMessage]) -> ChildSpec:
    feed = EventFeed(parts.store, tuple(parts.settings.queues))
    dependencies = ApiDependencies(
        settings=parts.settings,
        store=parts.store,
        feed=feed,
        health=lambda: parts.health,
        hint=_hinter(dispatcher),
        draining=parts.draining,
    )
    server = Server(make_app(dependencies), parts.settings.http, on_stop=feed.end_all)
    build = lambda: ApiActor(server=server, feed=feed, host=parts.settings.http.host)  # noqa: E731
    return ChildSpec(Ref("api"), build=build, shutdown_s=_API_SHUTDOWN_S)


def _hinter(dispatcher: Ref[DispatcherMessage]) -> Callable[[QueueName], None]:
    def hint(queue: QueueName) -> None:
        # A hint that finds no room is not needed: the dispatcher has plenty to look at.
        with contextlib.suppress(MailboxFull, ActorGone):
            dispatcher.tell_nowait(WorkArrived(queue))

    return hint


def _engine(parts: Parts, workshop: Workshop, dispatcher: Ref[DispatcherMessage]) -> SupervisorSpec:
    settings = parts.settings
    pools: dict[QueueName, Ref[PoolMessage]] = {
        queue: Ref("pool", capacity=max(64, settings.worker.max_concurrent)) for queue in settings.queues
    }
    pairs = tuple(_pair(settings, workshop, queue, pool, dispatcher) for queue, pool in pools.items())
    slots = {queue: spec.slots for queue, spec in settings.queues.items()}
    return SupervisorSpec(
        "engine",
        (
            SupervisorSpec("pools", pairs, max_restarts=10, period_s=60.0),
            ChildSpec(
                dispatcher,
                build=lambda: Dispatcher(
                    store=parts.store,
                    pools=pools,
                    slots=Slots(settings.worker.max_concurrent, slots),
                    poll_s=settings.queue.poll_s,
                ),
            ),
        ),
        strategy=Strategy.REST_FOR_ONE,
        max_restarts=5,
        period_s=60.0,
    )


def _pair(
    settings: Settings,
    workshop: Workshop,
    queue: QueueName,
    pool: Ref[PoolMessage],
    dispatcher: Ref[DispatcherMessage],
) -> SupervisorSpec:
    grace_s = settings.worker.grace_s
    runners: Ref[Any] = Ref("runners")
    build = _pool_builder(workshop, queue=queue, runners=runners, dispatcher=dispatcher, grace_s=grace_s)
    return SupervisorSpec(
        queue,
        # The runners first: a pool that dies leaves them running, and its next incarnation adopts them.
        (DynamicSpec(runners, shutdown_s=grace_s), ChildSpec(pool, build=build)),
        strategy=Strategy.REST_FOR_ONE,
        max_restarts=10,
        period_s=60.0,
    )


def _pool_builder(workshop: Workshop, **fields: Any) -> Callable[[], Pool]:
    return lambda: Pool(make_runner=lambda claim: Runner(claim=claim, workshop=workshop), **fields)


def _reaper(parts: Parts) -> ChildSpec:
    queue = parts.settings.queue
    return ChildSpec(
        Ref("reaper"),
        build=lambda: Reaper(
            store=parts.store,
            queues=tuple(parts.settings.queues),
            interval_s=queue.reap_s,
            lease_s=queue.lease_s,
        ),
    )
