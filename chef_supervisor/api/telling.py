"""Whom a job is told to, from the top of the body of `POST /api/jobs`: `callbackUrl` and `progress`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.subscriber import Subscriber
from chef_supervisor.webhooks.audience import Audience

FIELDS: Final = ("callbackUrl", "progress")


def read_subscribers(body: Mapping[str, object], audience: Audience) -> tuple[Subscriber, ...]:
    """
    Returns: those of the settings, and the callback where one is asked for.

    Raises:
        Unprocessable: `invalid_callback_url`, `callback_not_allowed`, `invalid_progress`.
    """
    progress = body.get("progress", True)
    if not isinstance(progress, bool):
        raise Unprocessable("invalid_progress", "progress", "must be true or false")
    return audience.subscribers(_callback_url(body), progress=progress)


def _callback_url(body: Mapping[str, object]) -> str | None:
    if "callbackUrl" not in body:
        return None
    asked = body["callbackUrl"]
    if not isinstance(asked, str):
        detail = "must be an address such as https://hooks.example.com/path, or be left out"
        raise Unprocessable("invalid_callback_url", "callbackUrl", detail)
    return asked
