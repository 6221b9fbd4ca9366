"""An installer for tests of what stands above it."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet

from chef_supervisor.dependencies.cache import DependencyCache
from chef_supervisor.installing import Installer
from chef_supervisor.sandboxes.sandbox import Limits
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.sealing import Sealer

DAY_S = 86_400.0


def make_installer(sandbox: WatchedSandbox, limits: Limits, **cache: Any) -> Installer:
    """Returns: one on the shelf of that sandbox, with a key of its own."""
    bounds = {"max_bytes": 1 << 30, "max_entry_bytes": 1 << 30, "unlocked_s": DAY_S} | cache
    return Installer(
        sandbox=sandbox,
        cache=DependencyCache(sandbox.shelf, **bounds),
        sealer=Sealer(Fernet.generate_key()),
        limits=limits,
        most_bytes=bounds["max_entry_bytes"],
    )
