"""Both sandboxes, one after the other: what an attacker may not do holds in each."""

from __future__ import annotations

from tests.integration.dependencies.conftest import make_sandbox
from tests.integration.sandboxes.conftest import bubblewrap_sandbox, docker_sandbox, sandbox

__all__ = ["bubblewrap_sandbox", "docker_sandbox", "make_sandbox", "sandbox"]
