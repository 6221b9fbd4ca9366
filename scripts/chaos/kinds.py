"""The kinds of faults that a deployment can be struck with."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from scripts.chaos.boxes import kill_container, kill_process_box
from scripts.chaos.deployment import Deployment
from scripts.chaos.faults import Heal, Kind
from scripts.chaos.supervisors import Supervisor


def kinds(deployment: Deployment, accepted: Sequence[str], chance: random.Random) -> list[Kind]:
    """Returns: those that there is something to do to here. `accepted`: whose boxes are ours."""
    redis, engine = deployment.redis, deployment.engine
    found = [kind for supervisor in deployment.supervisors for kind in _of(supervisor)]
    found += [
        Kind(name="redis killed", target="redis", strike=partial(_do, redis.kill, redis.start), lasts_s=(0.0, 3.0)),
        Kind(name="redis hangs", target="redis", strike=partial(_do, redis.pause, redis.resume), lasts_s=(1.0, 8.0)),
    ]
    if deployment.sandbox != "null":
        # As often as the others together are: it is the smallest of them.
        # It is the engine that kills it.
        target = "engine" if engine is not None else "box"
        found += [Kind(name="box killed", target=target, strike=partial(_kill_box, deployment, accepted, chance))] * 3
    if engine is not None:
        found += [
            Kind(
                name="dockerd killed",
                target="engine",
                strike=partial(_do, engine.kill, engine.start),
                lasts_s=(0.0, 5.0),
            ),
            Kind(
                name="dockerd hangs",
                target="engine",
                strike=partial(_do, engine.pause, engine.resume),
                lasts_s=(1.0, 12.0),
            ),
        ]
    return found


def _of(supervisor: Supervisor) -> list[Kind]:
    name = supervisor.name
    kill, freeze = partial(_do, supervisor.kill, supervisor.start), partial(_do, supervisor.freeze, supervisor.thaw)
    return [
        Kind(name=f"{name} supervisor killed", target=name, strike=kill),
        Kind(name=f"{name} supervisor killed, and away", target=name, strike=kill, lasts_s=(1.0, 6.0)),
        # Longer than a lease, now and then.
        Kind(name=f"{name} supervisor stands still", target=name, strike=freeze, lasts_s=(1.0, 15.0)),
    ]


def _do(strike: Callable[[], None], heal: Heal) -> Heal:
    strike()
    return heal


def _kill_box(deployment: Deployment, accepted: Sequence[str], chance: random.Random) -> Heal | None:
    if deployment.docker_host is not None:
        killed = kill_container(deployment.docker_host, list(accepted), chance)
    else:
        killed = kill_process_box(deployment.supervisors, chance)
    return _nothing if killed else None


def _nothing() -> None:
    """The service heals it."""
