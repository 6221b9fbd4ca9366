"""
What a service in a process of its own takes for the internet: `Internet` says it by a file, which may change at any
time. Everything else of callbacks is the service's own, the rules for addresses included.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from chef_supervisor.settings import WebhookSettings
from chef_supervisor.webhooks import audience, configured, endpoint
from chef_supervisor.webhooks.making import make_callback
from chef_supervisor.webhooks.policy import CallbackRules
from tests.kit.hook_kit import may_connect


@attrs.frozen
class _Names:
    file: Path

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        names: Mapping[str, Sequence[str]] = _read(self.file)["names"]
        if not names.get(host):
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return names[host]

    def close(self) -> None:
        """It holds nothing."""


def plant_internet(file: Path) -> None:
    """Have callbacks live in that one."""
    told = _read(file)
    real_rules = audience.callback_rules

    def rules(webhooks: WebhookSettings) -> CallbackRules:
        return attrs.evolve(real_rules(webhooks), ports=frozenset(told["ports"]))

    made = partial(make_callback, resolver=_Names(file), may_connect=may_connect)
    audience.callback_rules = rules
    configured.callback_rules = rules  # type: ignore[attr-defined] # it imports them for itself
    configured.make_callback = made  # type: ignore[attr-defined]
    if told["deadline_s"] is not None:
        endpoint.END_DEADLINE_S = told["deadline_s"]  # type: ignore[misc]


def _read(file: Path) -> Any:
    return json.loads(file.read_text())
