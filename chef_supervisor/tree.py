"""The supervision tree as data: which actors there are, in which order they start, and what a death means."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from chef_supervisor.actors.archivist import Archivist
from chef_supervisor.actors.courier import Courier
from chef_supervisor.actors.dispatcher import Dispatcher
from chef_supervisor.actors.embedded_redis import EmbeddedRedisKeeper
from chef_supervisor.actors.janitor import Janitor
from chef_supervisor.actors.lease_keeper import LeaseKeeperActor
from chef_supervisor.actors.notifier import Notifier
from chef_supervisor.actors.pool import Pool
from chef_supervisor.actors.reaper import Reaper
from chef_supervisor.actors.runner import Runner
from chef_supervisor.actors.store_guard import StoreGuard
from chef_supervisor.actors.warmer import Warmer
from chef_supervisor.actors.watchdog import Watchdog
from chef_supervisor.api.actor import ApiActor
from chef_supervisor.api.app import make_app
from chef_supervisor.api.dependencies import ApiDependencies, no_seal, with_faults
from chef_supervisor.api.feed import EventFeed
from chef_supervisor.api.server import Server
from chef_supervisor.artifacts.store import ArtifactStore
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
from chef_supervisor.parts import Parts
from chef_supervisor.protocol import DispatcherMessage, PoolMessage, WorkArrived
from chef_supervisor.settings import Role
from chef_supervisor.store.config import DELIVERY_LEASE_S
from chef_supervisor.store.embedded import EmbeddedRedis
from chef_supervisor.store.fitness import Fitness
from chef_supervisor.webhooks.receivers import Receivers
from chef_supervisor.workshop import Workshop

# The last open streams and long polls end within it.
_API_SHUTDOWN_S: Final = 10.0
_REDIS_SHUTDOWN_S: Final = 15.0
# A claim under way, and the pools' word that they took what they were told.
_DISPATCHER_SHUTDOWN_S: Final = 10.0
# After the grace: to end a box and give its job back. Compose waits 45 s in all.
_PUT_BACK_S: Final = 10.0
# One box that is being started, and the removal of all.
_WARMER_SHUTDOWN_S: Final = 10.0
# Deliveries under way; then what did not end is given back. With the grace of the runners before it, and what stops
# after it, it must be over before the process ends itself (`service.py`).
_NOTIFIER_GRACE_S: Final = 3.0
_GIVE_BACK_S: Final = 3.0
# A renewal under way, and the end of its connection.
_LEASES_SHUTDOWN_S: Final = 10.0


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
    fitness = Fitness()
    children.append(_guard(parts, fitness))
    if parts.settings.process.role is not Role.WORKER:
        children.append(_api(parts, dispatcher, fitness))
    children.append(_watchdog(parts))
    if parts.workshop is not None:
        pools = _pool_refs(parts)
        # The ends that runners record in their grace are still told.
        if parts.receivers is not None:
            children.append(_notifier(parts, parts.receivers))
        # Leases and the courier outlive the runners: in their grace these still have jobs to keep, or to hear about.
        children += [_leases(parts), _courier(parts, pools)]
        children += [_janitor(parts, parts.workshop), _warmer(parts, parts.workshop)]
        children += [_engine(parts, parts.workshop, dispatcher, pools), _reaper(parts)]
        if parts.artifacts is not None:
            children.append(_archivist(parts, parts.artifacts))
    return SupervisorSpec("root", tuple(children), max_restarts=3, period_s=300.0)


def _redis(redis: EmbeddedRedis) -> ChildSpec:
    return ChildSpec(Ref("redis"), build=lambda: EmbeddedRedisKeeper(redis=redis), shutdown_s=_REDIS_SHUTDOWN_S)


def _guard(parts: Parts, fitness: Fitness) -> ChildSpec:
    # Of the store that takes jobs in: it refuses them while the server is not fit.
    store = parts.api_store or parts.store
    return ChildSpec(Ref("guard"), build=lambda: StoreGuard(store=store, fitness=fitness))


def _api(parts: Parts, dispatcher: Ref[DispatcherMessage], fitness: Fitness) -> ChildSpec:
    store = parts.api_store or parts.store
    feed = EventFeed(store, tuple(parts.settings.queues))
    dependencies = ApiDependencies(
        settings=parts.settings,
        store=store,
        feed=feed,
        artifacts=parts.artifacts,
        health=lambda: with_faults(parts.health(), fitness.refusals),
        hint=_hinter(dispatcher) if parts.workshop is not None else _no_hint,
        draining=parts.draining,
        toolchains=parts.toolchains,
        seal=parts.sealer.seal if parts.sealer is not None else no_seal,
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


def _watchdog(parts: Parts) -> ChildSpec:
    return ChildSpec(Ref("watchdog"), build=lambda: Watchdog(vitals=parts.vitals, on_turn=parts.leases.turned))


def _leases(parts: Parts) -> ChildSpec:
    return ChildSpec(Ref("leases"), build=lambda: LeaseKeeperActor(keeper=parts.leases), shutdown_s=_LEASES_SHUTDOWN_S)


def _courier(parts: Parts, pools: Mapping[QueueName, Ref[PoolMessage]]) -> ChildSpec:
    return ChildSpec(Ref("courier"), build=lambda: Courier(store=parts.store, pools=pools, leases=parts.leases))


def _notifier(parts: Parts, receivers: Receivers) -> SupervisorSpec:
    def build() -> Notifier:
        return Notifier(
            store=parts.store,
            queues=tuple(parts.settings.queues),
            receivers=receivers,
            changed=parts.outbox_changed,
            lease_s=DELIVERY_LEASE_S,
            grace_s=_NOTIFIER_GRACE_S,
        )

    # A delivery or a receiver that crashes costs nobody else anything; this is for faults of the notifier's own.
    child = ChildSpec(Ref("notifier"), build=build, shutdown_s=_NOTIFIER_GRACE_S + _GIVE_BACK_S)
    return SupervisorSpec("telling", (child,), max_restarts=5, period_s=60.0)


def _pool_refs(parts: Parts) -> Mapping[QueueName, Ref[PoolMessage]]:
    capacity = max(64, parts.settings.worker.max_concurrent)
    return {queue: Ref(queue, capacity=capacity) for queue in parts.settings.queues}


def _engine(
    parts: Parts,
    workshop: Workshop,
    dispatcher: Ref[DispatcherMessage],
    pools: Mapping[QueueName, Ref[PoolMessage]],
) -> SupervisorSpec:
    worker = parts.settings.worker
    runners: Ref[Any] = Ref("runners", capacity=max(64, worker.max_concurrent))
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
    grace_s = parts.settings.worker.grace_s

    def make_runner(claim: Claim) -> Runner:
        return Runner(
            claim=claim,
            store=parts.store,
            workshop=workshop,
            leases=parts.leases,
            grace_s=grace_s,
            chance=random.random,
        )

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
            vitals=parts.vitals,
            poll_s=parts.settings.queue.poll_s,
            taken_over=parts.taken_over,
        )

    return ChildSpec(dispatcher, build=build, shutdown_s=_DISPATCHER_SHUTDOWN_S)


def _janitor(parts: Parts, workshop: Workshop) -> ChildSpec:
    def build() -> Janitor:
        return Janitor(
            store=parts.store,
            sandbox=workshop.sandbox,
            mark=parts.mark,
            queues=tuple(parts.settings.queues),
            sweep_s=parts.settings.sandbox.sweep_s,
            ping_s=parts.settings.sandbox.ping_s,
            taken_over=parts.taken_over,
        )

    return ChildSpec(Ref("janitor"), build=build)


def _warmer(parts: Parts, workshop: Workshop) -> ChildSpec:
    def build() -> Warmer:
        count, taken_over = parts.settings.sandbox.warm, parts.taken_over
        return Warmer(sandbox=workshop.sandbox, limits=workshop.job_limits, count=count, taken_over=taken_over)

    return ChildSpec(Ref("warmer"), build=build, shutdown_s=_WARMER_SHUTDOWN_S)


def _archivist(parts: Parts, artifacts: ArtifactStore) -> ChildSpec:
    queues, interval_s = tuple(parts.settings.queues), parts.settings.artifacts.sweep_s
    build = lambda: Archivist(store=parts.store, artifacts=artifacts, queues=queues, interval_s=interval_s)  # noqa: E731
    return ChildSpec(Ref("archivist"), build=build)


def _reaper(parts: Parts) -> ChildSpec:
    queues, interval_s = tuple(parts.settings.queues), parts.settings.queue.reap_s
    return ChildSpec(Ref("reaper"), build=lambda: Reaper(store=parts.store, queues=queues, interval_s=interval_s))
