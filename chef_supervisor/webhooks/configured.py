"""The receivers of the settings, ready to be told: those of every job, and those that jobs name themselves."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.settings import ConvexSettings, Settings, WebhookSettings
from chef_supervisor.webhooks.audience import ENDPOINT, callback_rules
from chef_supervisor.webhooks.convex import ConvexReceiver
from chef_supervisor.webhooks.convex_call import FunctionKind, Functions
from chef_supervisor.webhooks.convex_config import ConvexConfig
from chef_supervisor.webhooks.endpoint import endpoint_target
from chef_supervisor.webhooks.making import make_callback, make_endpoint
from chef_supervisor.webhooks.receiver import Receiver
from chef_supervisor.webhooks.receivers import Receivers
from chef_supervisor.webhooks.sending import tls_context
from chef_supervisor.webhooks.signing import Secrets, parse_secrets


def configured_receivers(settings: Settings) -> Receivers:
    """
    Returns: the receivers; none of them has a connection yet. Their names are those of `audience_of`.

    Raises:
        Misconfigured: with what is wrong with each of them; no sentence shows a key, a secret or an endpoint.
    """
    convex, webhooks = settings.convex, settings.webhooks
    if not (convex.url or webhooks.url or webhooks.callback_hosts):
        return Receivers(configured=())
    # Authorities take milliseconds and megabytes to read: once for all.
    tls = _authorities()
    faults: list[str] = []
    configured: list[Receiver] = []
    callback: Callable[[str], Receiver] | None = None
    if convex.url:
        with _gathered(faults):
            configured.append(_convex(convex, tls))
    if webhooks.url:
        with _gathered(faults):
            configured.append(_endpoint(webhooks, tls))
    if webhooks.callback_hosts:
        with _gathered(faults):
            callback = _callback(webhooks, tls)
    if faults:
        raise Misconfigured(tuple(faults))
    return Receivers(configured=configured, callback=callback)


@contextmanager
def _gathered(faults: list[str]) -> Iterator[None]:
    try:
        yield
    except Misconfigured as error:
        faults += error.faults


def _authorities() -> ssl.SSLContext:
    try:
        return tls_context()
    except OSError as error:
        told = f"SSL_CERT_FILE, SSL_CERT_DIR: the certificates cannot be read: {error.strerror or error}"
        raise Misconfigured((told,)) from error


def _convex(convex: ConvexSettings, tls: ssl.SSLContext) -> Receiver:
    try:
        functions = Functions(
            result=convex.result_function, progress=convex.progress_function, kind=FunctionKind(convex.kind)
        )
        config = ConvexConfig(
            url=convex.url, deploy_key=convex.deploy_key, functions=functions, progress=convex.progress
        )
    except ValueError as error:
        raise Misconfigured((f"convex: {error}",)) from error
    return ConvexReceiver(config, tls=tls)


def _endpoint(webhooks: WebhookSettings, tls: ssl.SSLContext) -> Receiver:
    faults: list[str] = []
    with _gathered(faults):
        target = endpoint_target("webhooks.url", webhooks.url)
    with _gathered(faults):
        secrets = parse_secrets("webhooks.secrets", webhooks.secrets)
    if faults:
        raise Misconfigured(tuple(faults))
    return make_endpoint(
        ENDPOINT, target, secrets, tls=tls, progress=webhooks.progress, concurrency=webhooks.concurrency
    )


def callback_secrets(webhooks: WebhookSettings) -> Secrets:
    """
    Returns: what the secret of each host that is called back is made of.

    Raises:
        Misconfigured: one of the setting is none.
    """
    return parse_secrets("webhooks.callback_secrets", webhooks.callback_secrets)


def _callback(webhooks: WebhookSettings, tls: ssl.SSLContext) -> Callable[[str], Receiver]:
    faults: list[str] = []
    with _gathered(faults):
        rules = callback_rules(webhooks)
    with _gathered(faults):
        secrets = callback_secrets(webhooks)
    if faults:
        raise Misconfigured(tuple(faults))
    return lambda host: make_callback(host, rules, secrets, tls=tls, concurrency=webhooks.concurrency)
