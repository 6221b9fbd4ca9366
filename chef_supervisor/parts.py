"""What the tree is made of: the adapters and values of one process, made once and outliving every restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs

from chef_supervisor.api.dependencies import HealthSource
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.leases.keeper import LeaseKeeper
from chef_supervisor.sealing import Sealer
from chef_supervisor.settings import Settings
from chef_supervisor.store.embedded import EmbeddedRedis
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.vitals import Vitals
from chef_supervisor.webhooks.receivers import Receivers
from chef_supervisor.workshop import Workshop


@attrs.frozen(kw_only=True)
class Parts:
    """
    What the tree is made of.

    `workshop` is None where this process runs no jobs; `redis` where somebody else keeps it. `api_store` is what
    requests wait for, with a shorter patience than the workers' `store`; None where that one does for both. `mark`:
    what our boxes carry, and nobody else's.
    """

    settings: Settings
    store: JobStore
    workshop: Workshop | None
    redis: EmbeddedRedis | None
    leases: LeaseKeeper
    vitals: Vitals
    health: HealthSource
    draining: Callable[[], bool]
    api_store: JobStore | None = None
    # None where nothing that jobs make is kept.
    artifacts: ArtifactStore | None = None
    mark: str = ""
    # The names that a job may pick from.
    toolchains: tuple[str, ...] = ()
    # None where nobody's secrets come in.
    sealer: Sealer | None = None
    # Who is told of jobs; None where this process tells nobody. Whoever made them closes them.
    receivers: Receivers | None = None
    # Set where something may have to be told, and waited for by the notifier.
    outbox_changed: asyncio.Event = attrs.field(factory=asyncio.Event)
    # Set by the janitor, and waited for by the dispatcher.
    taken_over: asyncio.Event = attrs.field(factory=asyncio.Event)
