"""The supervision tree as data: which actors there are, in which order they start, and what a death means."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from chef_supervisor.actors.dispatcher import Dispatcher
from chef_supervisor.actors.embedded_redis import EmbeddedRedisKeeper
from chef_supervisor.actors.pool import Pool
from chef_supervisor.actors.reaper import Reaper
from chef_supervisor.actors.runner import Runner
from chef_supervisor.api.actor import ApiActor
from chef_supervisor.api.app import make_app
from chef_supervisor.api.dependencies import ApiDependencies, HealthSource
from chef_supervisor.api.feed import EventFeed
from chef_supervisor.api.server import Server
from chef_supervisor.domain.job import Claim, QueueName
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
from chef_supervisor.workshop import Workshop

# The last open streams and long polls end within it.
_API_SHUTDOWN_S: Final = 10.0
_REDIS_SHUTDOWN_S: Final = 15.0
# A claim under way, and the pools' word that they took what they were told.
_DISPATCHER_SHUTDOWN_S: Final = 10.0
# After the grace: to end a box and give its job back. Compose waits 45 s in all.
_PUT_BACK_S: Final = 10.0


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
    health: HealthSource
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
        health=parts.health,
        hint=_hinter(dispatcher) if parts.workshop is not None else _no_hint,
        draining=parts.draining,
    )
    server = Server(make_app(dependencies), parts.settings.http, on_stop=feed.end_all)
    build = lambda: ApiActor(server=server, feed=feed, host=parts.settings.http.host)  # noqa: E731
    return ChildSpec(Ref("api"), build=build, shutdown_s=_API_SHUTDOWN_S)


def _no_hint(_queue: QueueName) -> None:
    """Nobody in this process would take it."""


def _hinter(dispatcher: Ref[DispatcherMessage]) -> Callable[[QueueName], None]:
    def hint(queue: QueueName) -> None:
        # One unread hint a queue is enough, and more would take the room that freed slots are promised.
        arrived = WorkArrived(queue)
        if arrived not in dispatcher.unread:
            with contextlib.suppress(MailboxFull, ActorGone):
                dispatcher.tell_nowait(arrived)

    return hint


def _engine(parts: Parts, workshop: Workshop, dispatcher: Ref[DispatcherMessage]) -> SupervisorSpec:
    worker = parts.settings.worker
    runners: Ref[Any] = Ref("runners", capacity=max(64, worker.max_concurrent))
    pools: dict[QueueName, Ref[PoolMessage]] = {
        queue: Ref(queue, capacity=max(64, worker.max_concurrent)) for queue in parts.settings.queues
    }
    children = tuple(
        _pool(parts, workshop, queue, pool=pool, runners=runners, dispatcher=dispatcher)
        for queue, pool in pools.items()
    )
    return SupervisorSpec(
        "engine",
        (
            # One supervisor for the runners of all queues: they stop together, within one grace. It comes first, so
            # that a pool that dies leaves them running, and its next incarnation adopts them.
            DynamicSpec(runners, shutdown_s=worker.grace_s + _PUT_BACK_S),
            SupervisorSpec("pools", children, max_restarts=10, period_s=60.0),
            _dispatcher(parts, workshop, dispatcher, pools),
        ),
        strategy=Strategy.REST_FOR_ONE,
        max_restarts=5,
        period_s=60.0,
    )


def _pool(
    parts: Parts,
    workshop: Workshop,
    queue: QueueName,
    *,
    pool: Ref[PoolMessage],
    runners: Ref[Any],
    dispatcher: Ref[DispatcherMessage],
) -> ChildSpec:
    grace_s, renew_s = parts.settings.worker.grace_s, parts.settings.queue.renew_s

    def make_runner(claim: Claim) -> Runner:
        return Runner(claim=claim, store=parts.store, workshop=workshop, renew_s=renew_s, grace_s=grace_s)

    def build() -> Pool:
        return Pool(
            queue=queue,
            runners=runners,
            dispatcher=dispatcher,
            make_runner=make_runner,
            runner_shutdown_s=grace_s + _PUT_BACK_S,
        )

    return ChildSpec(pool, build=build)


def _dispatcher(
    parts: Parts,
    workshop: Workshop,
    dispatcher: Ref[DispatcherMessage],
    pools: Mapping[QueueName, Ref[PoolMessage]],
) -> ChildSpec:
    caps = {queue: spec.slots for queue, spec in parts.settings.queues.items()}

    def build() -> Dispatcher:
        return Dispatcher(
            store=parts.store,
            pools=pools,
            slots=Slots(parts.settings.worker.max_concurrent, caps),
            sandbox=workshop.sandbox,
            poll_s=parts.settings.queue.poll_s,
        )

    return ChildSpec(dispatcher, build=build, shutdown_s=_DISPATCHER_SHUTDOWN_S)


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
