"""Receivers of signed requests, put together as the service uses them."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from chef_supervisor.domain.delivery import ReceiverName
from chef_supervisor.webhooks.addresses import may_be_called
from chef_supervisor.webhooks.endpoint import Callback, Endpoint
from chef_supervisor.webhooks.pinned import Pinned
from chef_supervisor.webhooks.policy import CallbackRules
from chef_supervisor.webhooks.resolving import Resolver, SystemResolver
from chef_supervisor.webhooks.sending import Sender
from chef_supervisor.webhooks.signing import Secrets
from chef_supervisor.webhooks.target import Target


def make_endpoint(
    name: str,
    target: Target,
    secrets: Secrets,
    *,
    tls: ssl.SSLContext,
    progress: bool,
    concurrency: int,
    resolver: Resolver | None = None,
) -> Endpoint:
    """Returns: the receiver `hook.<name>`, which is trusted: it may be any machine that the operator names."""
    pinned = Pinned(resolver or SystemResolver(), _any)
    return Endpoint(
        name=ReceiverName(f"hook.{name}"),
        target=target,
        secrets=secrets,
        sender=Sender(pinned, tls, concurrency),
        progress=progress,
        concurrency=concurrency,
    )


def make_callback(
    host: str,
    rules: CallbackRules,
    secrets: Secrets,
    *,
    tls: ssl.SSLContext,
    concurrency: int,
    resolver: Resolver | None = None,
    may_connect: Callable[[str], bool] = may_be_called,
) -> Callback:
    """
    Returns: the receiver `callback.<host>`, which is not trusted: its addresses must be of others, on the internet, and
        it knows no secret but its own. `secrets`: those of the settings.
    """
    pinned = Pinned(resolver or SystemResolver(), may_connect)
    sender = Sender(pinned, tls, concurrency)
    return Callback(host=host, rules=rules, secrets=secrets.for_host(host), sender=sender, concurrency=concurrency)


def _any(_address: str) -> bool:
    return True
