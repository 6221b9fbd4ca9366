"""What the keeper answers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.shelf import Inventory, Stored


def inventory_of(answer: Mapping[str, Any]) -> Inventory:
    """
    Returns: all that is kept.

    Raises:
        SandboxUnavailable: the disk of the store did not do as it was asked.
    """
    if failed := answer.get("failed"):
        raise SandboxUnavailable(f"the store of dependencies failed: {failed}; check the room on its disk")
    stored = {key: _stored(told) for key, told in answer["stored"].items()}
    return Inventory(secret=bytes.fromhex(answer["secret"]), now_s=answer["now_s"], stored=stored)


def _stored(told: Mapping[str, Any]) -> Stored:
    return Stored(
        bytes=told["bytes"],
        made_s=told["made_s"],
        used_s=told["used_s"],
        expires_s=told["expires_s"],
        notes=tuple(told["notes"]),
    )
